"""What an empty database gets: users, the switch for the mail folder, and the demo world."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update

from infra.local.demo.play import DAYS, play
from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.models.system import SystemSettings
from shared.models.users import User
from shared.services.users import create_user
from shared.settings import BadSetting

ADMIN = "admin"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """How to sign in for the first time. The password is None where the person chose it himself."""

    usernames: tuple[str, ...]
    password: str | None


def wants_demo() -> bool:
    return os.environ.get("DEMO") != "0"


def create_users() -> SignIn | None:
    """Create the first users if there are none, and turn the mail folder on; None when there were some."""
    chosen = os.environ.get("DEMO_ADMIN_PASSWORD")
    password = chosen or secrets.token_urlsafe(12)
    roles = {role.value: role for role in Role} if wants_demo() else {ADMIN: Role.ADMIN}
    with transaction() as db:
        if db.scalar(select(User.id).limit(1)) is not None:
            return None
        for username, role in roles.items():
            create_user(db, username, password, [role], now=clock.now())
        db.execute(update(SystemSettings).values(import_enabled=True, import_interval_minutes=1))
    return SignIn(usernames=tuple(roles), password=None if chosen else password)


def play_demo(mail_folder: Path, unfinished: Path, *, first: bool) -> None:
    """Play the demo world into a new database; one that was interrupted is taken up where it stopped."""
    if first and wants_demo():
        unfinished.write_text(clock.now().isoformat())
    if unfinished.exists():
        started_at = datetime.fromisoformat(unfinished.read_text())
        play(mail_folder, started_at, days=_demo_days())
        unfinished.unlink()


def _demo_days() -> int:
    text = os.environ.get("DEMO_DAYS") or str(DAYS)
    if not text.isdecimal() or not 1 <= int(text) <= DAYS:
        raise BadSetting(f"DEMO_DAYS must be a whole number from 1 to {DAYS}, not {text!r}")
    return int(text)
