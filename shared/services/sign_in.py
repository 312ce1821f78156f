"""Sign-in with a password, in three steps, because hashing takes long and must hold no connection:

1. `admit` counts the attempt, in a transaction of its own, so that a crash or a flood can't make it uncounted;
2. `is_right` compares the password, outside of any transaction;
3. `finish` opens the session, or writes down the refusal.

All refusals look alike: who asks does not learn whether the user exists.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, literal, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from shared.domain.names import fold
from shared.models.users import LoginAttempt, User
from shared.services import passwords
from shared.services.audit import Actor, record_act
from shared.services.errors import TooMany
from shared.services.sessions import open_session, remove_ended_sessions
from shared.services.users import find_user

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=15)
PER_NAME = 10
PER_ADDRESS = 50
KEEP_ATTEMPTS = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """Somebody who may try one password. Whether he exists is not visible from outside."""

    attempt_id: int
    user_id: int | None
    password_hash: str | None
    address: str


def admit(db: Session, username: str, *, address: str, now: datetime) -> Candidate:
    """Count an attempt; it counts as failed until it succeeds. Raise TooMany when the limit is reached."""
    name_hash = hashlib.sha256(fold(username).encode(errors="replace")).digest()
    _queue_up(db, name_hash, address)
    attempt_id = db.scalar(_attempt_within_limits(name_hash, address, now))
    if attempt_id is None:
        log.warning("sign-in limited", extra={"address": address})
        raise TooMany("Too many attempts. Wait a quarter of an hour, then try again.")
    user = find_user(db, username)
    usable = user is not None and user.disabled_at is None
    return Candidate(
        attempt_id=attempt_id,
        user_id=user.id if user else None,
        password_hash=user.password_hash if user and usable else None,
        address=address,
    )


def is_right(candidate: Candidate, password: str) -> bool:
    """Compare the password. Takes as long for somebody who does not exist."""
    return passwords.matches(candidate.password_hash, password)


def finish(db: Session, candidate: Candidate, password: str, *, right: bool, now: datetime) -> str | None:
    """Return the token of a new session, None for a refusal. Both are in the audit log."""
    user = None if candidate.user_id is None else db.get(User, candidate.user_id, with_for_update=True)
    # The user may have been disabled, or his password changed, while the hash was computed.
    if not right or user is None or user.disabled_at is not None or user.password_hash != candidate.password_hash:
        _record(db, user, candidate, "sign_in.refused", now)
        return None
    if user.password_hash and passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hashed(password)
    db.execute(update(LoginAttempt).where(LoginAttempt.id == candidate.attempt_id).values(succeeded=True))
    db.execute(delete(LoginAttempt).where(LoginAttempt.at < now - KEEP_ATTEMPTS))
    remove_ended_sessions(db, now=now)
    _record(db, user, candidate, "sign_in.succeeded", now)
    return open_session(db, user, address=candidate.address, now=now)


def _queue_up(db: Session, name_hash: bytes, address: str) -> None:
    """Let attempts on one name, or from one address, count one after the other: parallel ones see each other."""
    keys = {hashlib.sha256(part).digest()[:8] for part in (b"name:" + name_hash, b"address:" + address.encode())}
    for key in sorted(int.from_bytes(key, signed=True) for key in keys):
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _attempt_within_limits(name_hash: bytes, address: str, now: datetime) -> ReturningInsert[int]:
    """Insert and count in one statement; no row comes back when there were too many failures."""
    failed = select(func.count()).where(LoginAttempt.succeeded.is_(False), LoginAttempt.at > now - WINDOW)
    values = select(literal(name_hash), literal(address), literal(now)).where(
        failed.where(LoginAttempt.name_hash == name_hash).scalar_subquery() < PER_NAME,
        failed.where(LoginAttempt.address == address).scalar_subquery() < PER_ADDRESS,
    )
    return insert(LoginAttempt).from_select(["name_hash", "address", "at"], values).returning(LoginAttempt.id)


def _record(db: Session, user: User | None, candidate: Candidate, action: str, now: datetime) -> None:
    # Without a user the typed name stays out: it may be a password in the wrong field.
    actor = Actor(
        name=user.username if user else "unknown", user_id=user.id if user else None, address=candidate.address
    )
    record_act(db, actor, action, subject_type="user", subject_id=actor.user_id, now=now)
