"""Sessions of signed-in browsers: rows in the database behind an opaque cookie, of which only the hash is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.permissions import Role
from shared.domain.user import SESSION_ABSOLUTE, SESSION_IDLE, Theme
from shared.models.system import SystemSettings
from shared.models.users import User, WebSession
from shared.services.errors import NotAllowed

SEEN_EVERY = timedelta(minutes=5)  # a write for every page would be for nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedIn:
    """A live session and the user behind it, and the zone in which he sees times."""

    session_id: int
    user_id: int
    username: str
    display_name: str
    roles: tuple[Role, ...]
    active_role: Role
    theme: Theme
    csrf_token: str
    ui_time_zone: str


def open_session(db: Session, user: User, *, address: str, now: datetime) -> str:
    """Open a session with the role used last and return its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)  # letters, digits, - and _: a cookie value the platform does not re-encode
    db.add(
        WebSession(
            token_hash=token_hash(token),
            user_id=user.id,
            active_role=user.last_active_role,
            csrf_secret=secrets.token_urlsafe(32),
            address=address,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_ABSOLUTE,
        )
    )
    return token


def find_session(db: Session, token: str, *, now: datetime, is_activity: bool = True) -> SignedIn | None:
    """Return who is behind the token, None when the session is over or its user disabled.

    Activity keeps the session alive; what a page asks by itself is none, or an open page would never be signed out.
    """
    row = db.execute(
        select(WebSession, User, select(SystemSettings.ui_time_zone).scalar_subquery())
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.token_hash == token_hash(token))
        .where(WebSession.expires_at > now, WebSession.last_seen_at > now - SESSION_IDLE, User.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    session, user, zone = row
    if is_activity and session.last_seen_at < now - SEEN_EVERY:
        _mark_seen(db, session.id, now)
    return _signed_in(session, user, zone)


def switch_role(db: Session, session_id: int, role: Role) -> None:
    """Make `role` the active one, here and at the next sign-in. Raise NotAllowed when the user does not have it."""
    session = db.get_one(WebSession, session_id)
    user = db.get_one(User, session.user_id)
    if role not in user.roles:
        raise NotAllowed(f"You do not have the role {role.value}.")
    session.active_role = role
    user.last_active_role = role


def close_session(db: Session, session_id: int) -> None:
    db.execute(delete(WebSession).where(WebSession.id == session_id))


def close_all_sessions(db: Session, user_id: int, *, but: int | None = None) -> int:
    """Close the user's sessions, on request all but one; return how many there were."""
    doomed = delete(WebSession).where(WebSession.user_id == user_id)
    if but is not None:
        doomed = doomed.where(WebSession.id != but)
    result = db.execute(doomed)
    assert isinstance(result, CursorResult)
    return result.rowcount


def remove_ended_sessions(db: Session, *, now: datetime) -> None:
    db.execute(
        delete(WebSession).where(or_(WebSession.expires_at <= now, WebSession.last_seen_at <= now - SESSION_IDLE))
    )


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _mark_seen(db: Session, session_id: int, now: datetime) -> None:
    # Conditional: of many requests at once, one writes.
    db.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.last_seen_at < now - SEEN_EVERY)
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def _signed_in(session: WebSession, user: User, zone: str) -> SignedIn:
    # An administrator may have taken the active role away since.
    role = session.active_role if session.active_role in user.roles else user.last_active_role
    return SignedIn(
        session_id=session.id,
        user_id=user.id,
        username=user.username,
        display_name=user.display_name or user.username,
        roles=tuple(role for role in Role if role in user.roles),
        active_role=role,
        theme=user.theme,
        csrf_token=session.csrf_secret,
        ui_time_zone=zone,
    )
