"""What happens to every request and response, whatever the route.

Plain ASGI, and only what the platform's adapter can do: it starts no lifespan, buffers responses, names no client,
keeps one of several equal headers, and hands an escaped exception to the host, which then shows its own page.
"""

import re
import secrets
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.settings import settings

LARGEST_BODY = 10 * 1024 * 1024
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

Answer = Callable[[Request, int, str], Response]
Failed = Callable[[Request, Exception], Response]


class TidyRequest:
    """Gives requests one shape: a state, a tidy path, GET in place of HEAD, and forms in UTF-8.

    Browsers name no charset in a form's type; others make half characters, which nothing can store.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked_for_head, headers = scope["method"] == "HEAD", scope["headers"]
        path = re.sub("/{2,}", "/", scope["path"] or "/")
        tidy = {
            **scope,
            "state": dict(scope.get("state") or {}, nonce=secrets.token_urlsafe(16)),
            "path": path.rstrip("/") or "/",
            "method": "GET" if asked_for_head else scope["method"],
            "headers": [(name, _in_utf8(value) if name == b"content-type" else value) for name, value in headers],
        }
        await self.app(tidy, receive, _without_body(send) if asked_for_head else send)


class SafeHeaders:
    """Adds the security headers that a route has not set itself, and joins repeated headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._wanted(scope).items():
                    headers.setdefault(name, value)
                message = {**message, "headers": _joined(message["headers"])}
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)

    def _wanted(self, scope: Scope) -> dict[str, str]:
        wanted = {
            "Content-Security-Policy": POLICY.format(nonce=scope["state"]["nonce"]),
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Permissions-Policy": PERMISSIONS,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if settings().is_production:
            wanted["Strict-Transport-Security"] = "max-age=31536000"
        return wanted


class LastResort:
    """Turns an exception that nobody expected into a page; nothing escapes to the host."""

    def __init__(self, app: ASGIApp, failed: Failed) -> None:
        self.app = app
        self.failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await self.failed(Request(scope), error)(scope, receive, send)


class BodyLimit:
    """Refuses bodies above 10 MB, and chunked ones, which the platform would hand over empty."""

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Request(scope))) is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if "chunked" in request.headers.get("transfer-encoding", "").lower():
            return self.answer(request, 411, "Send the request with a Content-Length instead of in chunks.")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return self.answer(request, 413, "At most 10 MB can be sent at once. Send less, or in several steps.")
        return None


class AnswerOptions:
    """Answers OPTIONS with the methods that a path has."""

    def __init__(self, app: ASGIApp, methods_of: Callable[[str], set[str]]) -> None:
        self.app = app
        self.methods_of = methods_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self.app(scope, receive, send)
            return
        methods = self.methods_of(scope["path"])
        answer = Response(status_code=204 if methods else 404, headers={"Allow": ", ".join(sorted(methods))})
        await answer(scope, receive, send)


def _in_utf8(content_type: bytes) -> bytes:
    return re.sub(rb"(?i);\s*charset\s*=[^;]*", b"", content_type)


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def send_head(message: Message) -> None:
        # The adapter needs the key.
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


def _joined(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Join repeated headers with a comma, but Set-Cookie, which the adapter keeps apart."""
    joined: dict[bytes, bytes] = {}
    cookies = []
    for name, value in headers:
        key = name.lower()
        if key == b"set-cookie":
            cookies.append((key, value))
        else:
            joined[key] = joined[key] + b", " + value if key in joined else value
    return [*joined.items(), *cookies]
