"""Users: make one, change his password and roles, disable him. The last administrator stays one."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import any_, func, literal, select
from sqlalchemy.orm import Session

from shared.domain.permissions import Role
from shared.domain.user import Theme
from shared.models.users import User
from shared.services import passwords
from shared.services.audit import SYSTEM, Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.sessions import close_all_sessions

LONGEST_NAME = 100
_IS_ADMIN = literal(Role.ADMIN.value) == any_(User.roles)


def create_user(
    db: Session,
    username: str,
    password: str | None,
    roles: Collection[Role],
    *,
    now: datetime,
    display_name: str = "",
    actor: Actor = SYSTEM,
) -> User:
    """Create a user whose first role is active. Without a password he cannot sign in here."""
    name = _checked_name(db, username)
    ordered = _ordered(roles)
    if password is not None:
        passwords.check_choice(password, username=name)
    user = User(
        username=name,
        display_name=display_name.strip(),
        password_hash=None if password is None else passwords.hashed(password),
        roles=ordered,
        last_active_role=ordered[0],
        theme=Theme.AUTO,
        created_at=now,
    )
    db.add(user)
    db.flush()  # for the id
    after = {"username": name, "roles": [role.value for role in ordered]}
    record_act(db, actor, "user.created", subject_type="user", subject_id=user.id, after=after, now=now)
    return user


def find_user(db: Session, username: str) -> User | None:
    return db.scalar(select(User).where(func.lower(User.username) == func.lower(username.strip())))


def set_password(db: Session, user_id: int, password: str, *, actor: Actor, now: datetime) -> None:
    """Set a password and end the user's sessions, all of them: whoever knew the old one is out."""
    user = _locked(db, user_id)
    passwords.check_choice(password, username=user.username)
    user.password_hash = passwords.hashed(password)
    close_all_sessions(db, user.id)
    record_act(db, actor, "user.password_set", subject_type="user", subject_id=user.id, now=now)


def change_own_password(
    db: Session, user_id: int, *, current: str, new: str, session_id: int, actor: Actor, now: datetime
) -> None:
    """Change a password by its owner, who stays signed in here and nowhere else."""
    user = _locked(db, user_id)
    if not passwords.matches(user.password_hash, current):
        raise BadInput("This is not your current password.", field="current")
    passwords.check_choice(new, username=user.username, field="new")
    user.password_hash = passwords.hashed(new)
    close_all_sessions(db, user.id, but=session_id)
    record_act(db, actor, "user.password_changed", subject_type="user", subject_id=user.id, now=now)


def set_roles(db: Session, user_id: int, roles: Collection[Role], *, actor: Actor, now: datetime) -> None:
    """Give a user exactly these roles. Raise Conflict when no administrator would be left."""
    ordered = _ordered(roles)
    _hold_administrators(db)
    user = _locked(db, user_id)
    if Role.ADMIN not in ordered:
        _refuse_for_the_last_admin(db, user)
    before = {"roles": [role.value for role in user.roles]}
    user.roles = ordered
    if user.last_active_role not in ordered:
        user.last_active_role = ordered[0]
    after = {"roles": [role.value for role in ordered]}
    record_act(
        db, actor, "user.roles_set", subject_type="user", subject_id=user.id, before=before, after=after, now=now
    )


def disable_user(db: Session, user_id: int, *, actor: Actor, now: datetime) -> None:
    """Lock a user out at once. Raise Conflict for oneself and for the last administrator."""
    if actor.user_id == user_id:
        raise Conflict("You cannot disable yourself. Ask another administrator.")
    _hold_administrators(db)
    user = _locked(db, user_id)
    if user.disabled_at is not None:
        return
    _refuse_for_the_last_admin(db, user)
    user.disabled_at = now
    close_all_sessions(db, user.id)
    record_act(db, actor, "user.disabled", subject_type="user", subject_id=user.id, now=now)


def enable_user(db: Session, user_id: int, *, actor: Actor, now: datetime) -> None:
    user = _locked(db, user_id)
    if user.disabled_at is None:
        return
    user.disabled_at = None
    record_act(db, actor, "user.enabled", subject_type="user", subject_id=user.id, now=now)


def set_theme(db: Session, user_id: int, theme: Theme) -> None:
    _locked(db, user_id).theme = theme


def _checked_name(db: Session, username: str) -> str:
    name = username.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A user name has 1 to {LONGEST_NAME} visible characters.", field="username")
    if find_user(db, name) is not None:
        raise Conflict(f"There is a user {name} already. Choose another name.")
    return name


def _ordered(roles: Collection[Role]) -> list[Role]:
    if not roles:
        raise BadInput("Choose at least one role.", field="roles")
    return [role for role in Role if role in roles]


def _locked(db: Session, user_id: int) -> User:
    user = db.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound("There is no such user.")
    return user


def _hold_administrators(db: Session) -> None:
    # Two administrators who demote each other at the same moment: the second waits, and then sees the first.
    db.execute(select(User.id).where(_IS_ADMIN).order_by(User.id).with_for_update())


def _refuse_for_the_last_admin(db: Session, user: User) -> None:
    if Role.ADMIN not in user.roles or user.disabled_at is not None:
        return
    others = select(User.id).where(_IS_ADMIN, User.disabled_at.is_(None), User.id != user.id)
    if db.scalar(others.limit(1)) is None:
        raise Conflict("This is the last administrator. Make somebody else administrator first.")
