"""Compresses what browsers get: a thousand rows that look alike are 1.8 MB, or a twentieth of that.

Who can make a browser ask for pages, and sees how large they get, could guess what stands in them letter by letter
(BREACH). So tokens are masked anew in each response (csrf.py), and sizes are blurred here.
"""

import gzip
import io
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST = 1024
LEVEL = 4
BLUR = 100  # bytes at most, in the name of the file that a gzip header may carry and browsers skip
TYPES = frozenset(
    {
        "application/json",
        "application/manifest+json",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)


class Compress:
    """Compresses whole answers of types that are worth it, for clients that take them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        accepted = Headers(scope=scope).get("accept-encoding", "")
        await self.app(scope, receive, _Answer(send, as_gzip=accepts_gzip(accepted)))


class _Answer:
    """Passes an answer on; one to be compressed is held back until it is whole."""

    def __init__(self, send: Send, *, as_gzip: bool) -> None:
        self.send = send
        self.as_gzip = as_gzip
        self.start: Message | None = None
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self.start)

    async def _begin(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        can_be_small = _can_be_small(message["status"], headers)
        if can_be_small or message["status"] == 304:
            headers.append("Vary", "Accept-Encoding")
        if can_be_small and self.as_gzip:
            self.start = message
        else:
            await self.send(message)

    async def _finish(self, start: Message) -> None:
        body = bytes(self.body)
        if len(body) >= SMALLEST:
            body = await run_in_threadpool(_gzipped, body)
            _say_gzip(MutableHeaders(scope=start), len(body))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def accepts_gzip(accepted: str) -> bool:
    """Tell whether an Accept-Encoding header takes gzip; `gzip;q=0` is how it is refused."""
    for each in accepted.lower().split(","):
        coding, _, quality = each.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return quality.strip("0.") != "" if quality else True
    return False


def _can_be_small(status: int, headers: Headers) -> bool:
    if status in (204, 206, 304) or "content-encoding" in headers:
        return False
    return headers.get("content-type", "").partition(";")[0].strip() in TYPES


def _say_gzip(headers: MutableHeaders, length: int) -> None:
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(length)
    # What was promised byte by byte holds for the content only.
    del headers["Accept-Ranges"]
    if (tag := headers.get("etag", "")).startswith('"'):
        headers["ETag"] = f"W/{tag}"


def _gzipped(body: bytes) -> bytes:
    packed = io.BytesIO()
    name = "x" * secrets.randbelow(BLUR + 1)
    with gzip.GzipFile(name, "wb", LEVEL, packed, mtime=0) as file:
        file.write(body)
    return packed.getvalue()
