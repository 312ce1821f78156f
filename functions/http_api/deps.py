"""What routes ask for: the database, and a user with a right.

A route says `db: Db` and `user: Annotated[CurrentUser, require(Right.SEE_INBOX)]`; a screen that needs one right
throughout says `APIRouter(dependencies=[require(...)])`. Routes for everybody stand in PUBLIC, and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from functions.http_api import formats
from functions.http_api.client import client_address
from functions.http_api.cookies import SESSION, read_cookie
from functions.http_api.csrf import SubmittedToken, check_request
from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Right, Role, may
from shared.domain.user import Theme
from shared.services.audit import Actor
from shared.services.errors import NotAllowed
from shared.services.sessions import SignedIn, find_session

POLL = "X-Poll"  # a script says with it that the page asks by itself, and nobody did anything

# Method and path of every route that asks for no right.
PUBLIC = frozenset(
    {
        ("GET", "/"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/health"),
        ("GET", "/health/ready"),
        ("GET", "/static/{path:path}"),
    }
)


class NotSignedIn(Exception):
    """There is no session, or it is over; the browser is sent to the sign-in page."""


class MissingRight(NotAllowed):
    """The active role does not have a right."""

    def __init__(self, right: Right, user: "CurrentUser") -> None:
        super().__init__(f"As {user.active_role.value} you may not {right.value}.")
        self.helpful_roles = [role for role in user.roles if may(role, right)]


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentUser:
    """Who asks, with the role that is active now."""

    id: int
    session_id: int
    username: str
    display_name: str
    roles: tuple[Role, ...]
    active_role: Role
    theme: Theme
    csrf_token: str
    address: str

    def may(self, right: Right) -> bool:
        return may(self.active_role, right)

    @property
    def actor(self) -> Actor:
        """Himself, for the audit log."""
        return Actor(name=self.username, user_id=self.id, address=self.address)


def _db(request: Request) -> Iterator[Session]:
    with transaction() as db:
        request.state.db = db
        yield db


# scope="function": commit before the response leaves, so a failed commit is a
# 500 and never a success page about something that was rolled back.
Db = Annotated[Session, Depends(_db, scope="function")]


def _visitor(request: Request, db: Db, submitted: SubmittedToken) -> CurrentUser | None:
    token = read_cookie(request, SESSION)
    is_activity = POLL not in request.headers
    session = find_session(db, token, now=clock.now(), is_activity=is_activity) if token else None
    if session is None:
        return None
    formats.show_times_in(session.ui_time_zone)
    user = _current_user(session, address=client_address(request))
    request.state.user = user  # also for the page of an error that comes later
    check_request(request, submitted, session.csrf_token)
    return user


# The signed-in user or None, for the few pages that serve both.
Visitor = Annotated[CurrentUser | None, Depends(_visitor)]


@dataclass(frozen=True, slots=True)
class Require:
    """The dependency that lets a request pass only with `right`; the test of all routes reads it."""

    right: Right

    def __call__(self, visitor: Visitor) -> CurrentUser:
        if visitor is None:
            raise NotSignedIn
        if not visitor.may(self.right):
            raise MissingRight(self.right, visitor)
        return visitor


def require(right: Right) -> Any:  # noqa: ANN401 -- FastAPI's own type
    return Depends(Require(right))


def _current_user(session: SignedIn, *, address: str) -> CurrentUser:
    return CurrentUser(
        id=session.user_id,
        session_id=session.session_id,
        username=session.username,
        display_name=session.display_name,
        roles=session.roles,
        active_role=session.active_role,
        theme=session.theme,
        csrf_token=session.csrf_token,
        address=address,
    )
