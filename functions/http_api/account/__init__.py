"""A user's own account: role, theme, password, and where he is signed in."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from functions.http_api.cookies import SESSION, drop_cookie
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right, Role
from shared.domain.user import Theme
from shared.queries.own_sessions import own_sessions
from shared.services.audit import record_act
from shared.services.errors import BadInput
from shared.services.sessions import close_all_sessions, switch_role
from shared.services.users import change_own_password, set_theme

router = APIRouter(prefix="/account", include_in_schema=False)
Owner = Annotated[CurrentUser, require(Right.OWN_ACCOUNT)]


@router.get("")
def account(request: Request, db: Db, user: Owner) -> Response:
    return _account_page(request, db, user)


@router.post("/role")
def work_as(
    request: Request,
    db: Db,
    user: Owner,
    role: Annotated[Role, Form()],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    switch_role(db, user.session_id, role)
    return redirect(request, next, toast=f"You now work as {role.value}.")


@router.post("/theme")
def choose_theme(
    request: Request,
    db: Db,
    user: Owner,
    theme: Annotated[Theme, Form()],
    next: Annotated[str, Form()] = "/account",  # noqa: A002
) -> Response:
    set_theme(db, user.id, theme)
    return redirect(request, next)


@router.post("/password")
def change_password(
    request: Request,
    db: Db,
    user: Owner,
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    if new != repeated:
        return _account_page(request, db, user, errors={"repeated": "The two new passwords differ."}, status=422)
    try:
        change_own_password(
            db, user.id, current=current, new=new, session_id=user.session_id, actor=user.actor, now=clock.now()
        )
    except BadInput as problem:
        return _account_page(request, db, user, errors={problem.field or "new": str(problem)}, status=422)
    return redirect(request, "/account", toast="Your password is changed. You are signed out everywhere else.")


@router.post("/sign-out-everywhere")
def sign_out_everywhere(request: Request, db: Db, user: Owner) -> Response:
    closed = close_all_sessions(db, user.id)
    record_act(
        db,
        user.actor,
        "user.signed_out_everywhere",
        subject_type="user",
        subject_id=user.id,
        after={"sessions": closed},
        now=clock.now(),
    )
    response = redirect(request, "/login", toast="You are signed out everywhere.")
    drop_cookie(request, response, SESSION)
    return response


def _account_page(
    request: Request, db: Db, user: CurrentUser, *, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    sessions = own_sessions(db, user.id, now=clock.now())
    return page(
        request, "account/account.html", status=status, sessions=sessions, errors=errors or {}, themes=list(Theme)
    )
