"""How the ticketing system is doing: how much of the hour's requests is used up, and who polls it."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from shared.domain.ticketing import Pace, Usage
from shared.models.ticketing import TicketingState

LEASE = timedelta(minutes=10)  # the platform ends a function after that
ASKED_EVERY = timedelta(minutes=15)
OLD = timedelta(minutes=75)  # what was used by then is out of the hour that counts


def pace_of(db: Session) -> Pace:
    """Return how much may be asked for, by what was last known to be used; where nothing is known, all."""
    state = db.get_one(TicketingState, 1)
    if state.used is None or state.used_limit is None:
        return Pace.NORMAL
    return Usage(used=state.used, limit=state.used_limit).pace


def usage_is_old(db: Session, *, now: datetime) -> bool:
    asked_at = db.scalar(select(TicketingState.used_at))
    return asked_at is None or now - asked_at >= ASKED_EVERY


def keep_usage(db: Session, usage: Usage, *, now: datetime) -> None:
    db.execute(update(TicketingState).values(used=usage.used, used_limit=usage.limit, used_at=now))


def take_poll(db: Session, *, force: bool = False, now: datetime) -> datetime | None:
    """Take the poll for ourselves; return until when it is ours, which tells it from any other, or None.

    `force` takes it from whoever has it, and he will write nothing any more.
    """
    until = now + LEASE
    is_free = or_(TicketingState.lease_until.is_(None), TicketingState.lease_until <= now)
    taken = update(TicketingState).where(*([] if force else [is_free])).values(lease_until=until)
    return db.scalar(taken.returning(TicketingState.lease_until))


def end_poll(db: Session, lease: datetime, *, rest_until: datetime | None = None, **found: object) -> bool:
    """Give the poll back with what was found, unless somebody else has it by now; return whether it was still ours.

    `rest_until`: nobody takes it before that.
    """
    ours = update(TicketingState).where(TicketingState.lease_until == lease)
    return db.scalar(ours.values(lease_until=rest_until, **found).returning(TicketingState.id)) is not None
