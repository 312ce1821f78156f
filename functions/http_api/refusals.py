"""What is answered when a request can't be granted: each kind of refusal gets its status here, once."""

import logging
import secrets
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from functions.http_api.client import safe_next
from functions.http_api.csrf import SAFE_METHODS
from functions.http_api.deps import MissingRight, NotSignedIn
from functions.http_api.rendering import page
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound, Refusal, TooMany, Upstream

log = logging.getLogger(__name__)

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    Conflict: 409,
    NotAllowed: 403,
    BadInput: 422,
    TooMany: 429,
    Upstream: 502,
}
TITLES = {
    400: "The request makes no sense",
    401: "Not signed in",
    403: "Not allowed",
    404: "Nothing here",
    405: "This cannot be done here",
    409: "Changed in the meantime",
    411: "Length missing",
    413: "Too large",
    422: "Something is missing or wrong",
    429: "Too many attempts",
    500: "Something broke on our side",
    502: "Another system did not answer as expected",
    503: "Not available right now",
}
SENTENCES = {
    404: "There is no such page. The address may be mistyped, or what it showed has been deleted.",
    405: "This address exists, but not for this kind of request.",
}


def install(app: FastAPI) -> None:
    """Let the app answer refusals in our words, in the layout."""
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(NotSignedIn, _on_not_signed_in)
    app.add_exception_handler(RequestValidationError, _on_bad_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def wants_json(request: Request) -> bool:
    path = request.url.path
    return (path.startswith("/api/") and path != "/api/docs") or path.startswith("/health/")


def is_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def refuse(request: Request, status: int, sentence: str, **details: Any) -> Response:  # noqa: ANN401
    """Return the answer to a request that can't be granted: a page, a toast for htmx, or JSON for the API."""
    if wants_json(request):
        return JSONResponse({"detail": sentence, **{k: v for k, v in details.items() if v}}, status)
    title = TITLES.get(status, "This did not work")
    context = {"title": title, "sentence": sentence, "status_code": status, "roles": [], "reference": ""} | details
    if not is_htmx(request):
        return page(request, "layout/error.html", status=status, **context)
    answer = page(request, "layout/error_toast.html", status=status, **context)
    # The content stays as it is; the words go where messages go.
    answer.headers["HX-Retarget"] = "#toasts"
    answer.headers["HX-Reswap"] = "beforeend"
    return answer


def failed(request: Request, error: Exception) -> Response:
    """Answer an error that nobody expected. The page shows a reference, the log the rest."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        log.error("database not available", exc_info=error)
        answer = refuse(request, 503, "The database cannot be reached. Nothing was changed; try again in a minute.")
        answer.headers["Retry-After"] = "30"
        return answer
    reference = secrets.token_hex(4)
    log.error("request failed", exc_info=error, extra={"reference": reference, "route": _route(request)})
    sentence = "Nothing was changed. Try again; if it stays, give your administrator the reference below."
    return refuse(request, 500, sentence, reference=reference)


async def _on_refusal(request: Request, error: Exception) -> Response:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
    if isinstance(error, Upstream) and error.retryable:
        status = 503
    if isinstance(error, MissingRight):
        return refuse(request, status, str(error), roles=error.helpful_roles)
    return refuse(request, status, str(error))


async def _on_not_signed_in(request: Request, error: Exception) -> Response:
    if wants_json(request):
        return refuse(request, 401, "Sign in, or send an API token.")
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = safe_next(asked) if request.method in SAFE_METHODS and not is_htmx(request) else "/"
    login = "/login" if target == "/" else f"/login?{urlencode({'next': target})}"
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(login, 303)


async def _on_bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Field names and our library's words; never what was typed.
    problems = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'][1:])}: {problem['msg']}" for problem in error.errors()
    )
    return refuse(request, 422, f"Please check what was sent. {problems}.")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = SENTENCES.get(error.status_code, str(error.detail))
    answer = refuse(request, error.status_code, sentence)
    answer.headers.update(error.headers or {})
    return answer


def _route(request: Request) -> str:
    # The template of the path: a path itself may name customers.
    return getattr(request.scope.get("route"), "path", "")
