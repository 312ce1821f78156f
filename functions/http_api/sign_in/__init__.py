"""The way in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from functions.http_api import csrf
from functions.http_api.client import client_address, safe_next
from functions.http_api.cookies import LOGIN, SESSION, drop_cookie, put_cookie, read_cookie
from functions.http_api.csrf import ForgedRequest, SubmittedToken
from functions.http_api.deps import CurrentUser, Db, Visitor, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Right
from shared.domain.user import SESSION_ABSOLUTE
from shared.services.errors import TooMany
from shared.services.sessions import close_session
from shared.services.sign_in import admit, finish, is_right

router = APIRouter(include_in_schema=False)

REFUSED = "User name or password is wrong."
FORM_MINUTES = 60


@router.get("/login")
def login_form(request: Request, visitor: Visitor, next: str = "/") -> Response:  # noqa: A002 -- the address says so
    if visitor is not None:
        return redirect(request, next)
    return _form(request, target=next)


@router.post("/login")
def login(
    request: Request,
    submitted: SubmittedToken,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    try:
        csrf.check_request(request, submitted, csrf.login_token(read_cookie(request, LOGIN)))
    except ForgedRequest:
        # Most often a page that was open for too long, so the person gets a fresh one and not only a refusal.
        return _form(request, target=next, username=username, error="Please sign in once more.", status=403)
    try:
        token = _sign_in(username, password, address=client_address(request))
    except TooMany as limit:
        return _form(request, target=next, username=username, error=str(limit), status=429)
    if token is None:
        return _form(request, target=next, username=username, error=REFUSED, status=401)
    response = redirect(request, next)
    put_cookie(request, response, SESSION, token, max_age=int(SESSION_ABSOLUTE.total_seconds()))
    drop_cookie(request, response, LOGIN)
    return response


@router.post("/logout")
def logout(request: Request, db: Db, user: Annotated[CurrentUser, require(Right.OWN_ACCOUNT)]) -> Response:
    close_session(db, user.session_id)
    response = redirect(request, "/login", toast="You are signed out.")
    drop_cookie(request, response, SESSION)
    return response


def _sign_in(username: str, password: str, *, address: str) -> str | None:
    """Return the token of a new session. No transaction is open while the password is hashed."""
    with transaction() as db:
        candidate = admit(db, username, address=address, now=clock.now())
    right = is_right(candidate, password)
    with transaction() as db:
        return finish(db, candidate, password, right=right, now=clock.now())


def _form(request: Request, *, target: str, username: str = "", error: str = "", status: int = 200) -> Response:
    secret = read_cookie(request, LOGIN) or csrf.new_login_secret()
    response = page(
        request,
        "sign_in/login.html",
        status=status,
        csrf_token=csrf.login_token(secret),
        target=safe_next(target),
        username=username,
        error=error,
    )
    put_cookie(request, response, LOGIN, secret, max_age=FORM_MINUTES * 60)
    return response
