"""The breaker of the ticketing system, shared by all processes: a row of the database says that it is open.

It is open for the credentials that were refused. Others are others: with new ones in force nothing needs closing, and a
process that still has the old ones stays silent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from shared import clock as machine
from shared.db.session import transaction
from shared.models.ticketing import TicketingState
from shared.services.secret_box import Purpose, fingerprint
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenBreaker:
    """Since when nothing is sent, and why."""

    opened_at: datetime
    why: str


class DatabaseBreaker:
    """A `Breaker` for the credentials in the settings. Opens its own transactions, each of one statement."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = machine.now) -> None:
        self._settings = settings
        self._clock = clock

    def is_open(self) -> bool:
        with transaction() as db:
            return open_breaker(db, self._settings) is not None

    def open(self, why: str) -> None:
        """Keep the first moment and reason of the same credentials."""
        ours = credentials_print(self._settings)
        is_news = or_(TicketingState.breaker_opened_at.is_(None), TicketingState.breaker_credentials != ours)
        values = {"breaker_opened_at": self._clock(), "breaker_why": why, "breaker_credentials": ours}
        with transaction() as db:
            db.execute(update(TicketingState).where(is_news).values(values))

    def close(self) -> None:
        """Let everything through again, the next poll too, which rests since it was refused."""
        closed = {"breaker_opened_at": None, "breaker_why": "", "breaker_credentials": ""}
        rested = {"lease_until": None, "poll_error": ""}
        with transaction() as db:
            was_open = TicketingState.breaker_opened_at.is_not(None)
            db.execute(update(TicketingState).where(was_open).values(**closed, **rested))


def open_breaker(db: Session, settings: Settings) -> OpenBreaker | None:
    """Return the breaker of the credentials in the settings where it is open."""
    opened_at, why, whose = db.execute(
        select(TicketingState.breaker_opened_at, TicketingState.breaker_why, TicketingState.breaker_credentials)
    ).one()
    if opened_at is None or whose != credentials_print(settings):
        return None
    return OpenBreaker(opened_at=opened_at, why=why)


def credentials_print(settings: Settings) -> str:
    """Return by what these credentials are known again; nothing where there is no key, and then all look alike."""
    who = (
        settings.autotask_base_url,
        settings.autotask_username,
        settings.autotask_secret,
        settings.autotask_integration_code,
    )
    if not settings.secret_key:
        return ""
    return fingerprint("\0".join(who), Purpose.TICKETING_SIGN_IN, key=settings.secret_key)
