"""How the ticketing system is doing: how much of the hour's requests is used up, and who polls it.

Of a state with a limit and no use we know that we were told to wait; of one with neither, nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.ticketing import Pace, Usage
from shared.models.ticketing import TicketingState

LEASE = timedelta(minutes=10)  # the platform ends a function after that
ASKED_EVERY = timedelta(minutes=15)
OLD = timedelta(minutes=75)  # what was used by then is out of the hour that counts
USUAL_LIMIT = 10_000  # of Autotask


def pace_of(db: Session, *, now: datetime) -> Pace:
    """Return how much may be asked for, by what was last known to be used; where nothing is known, all."""
    state = db.get_one(TicketingState, 1)
    if state.used_limit is None or state.used_at is None or now - state.used_at >= OLD:
        return Pace.NORMAL
    return Pace.PAUSED if state.used is None else Usage(used=state.used, limit=state.used_limit).pace


def usage_is_old(db: Session, *, now: datetime) -> bool:
    asked_at = db.scalar(select(TicketingState.used_at))
    return asked_at is None or now - asked_at >= ASKED_EVERY


def keep_usage(db: Session, usage: Usage, *, now: datetime) -> None:
    db.execute(update(TicketingState).values(used=usage.used, used_limit=usage.limit, used_at=now))


def keep_told_to_wait(db: Session, *, now: datetime) -> None:
    """Keep that they want fewer requests, whatever they count: what nobody waits for pauses until we ask again."""
    limit = func.coalesce(TicketingState.used_limit, USUAL_LIMIT)
    db.execute(update(TicketingState).values(used=None, used_limit=limit, used_at=now))


def keep_not_known(db: Session, *, now: datetime) -> None:
    """Keep that we asked how much is used and got no answer."""
    db.execute(update(TicketingState).values(used=None, used_limit=None, used_at=now))


def is_resting(db: Session, *, now: datetime) -> bool:
    """Tell whether somebody polls, or a poll that went wrong lets nobody poll yet."""
    until = db.scalar(select(TicketingState.lease_until))
    return until is not None and until > now


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
