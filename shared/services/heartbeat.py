"""Timers write down that they run, because the platform has been seen to let all timers of an app stop in silence.

Unlike other services it opens its own transactions: what a timer did may be rolled back, that it ran may not.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.clients.errors import Upstream
from shared.db.session import transaction
from shared.domain.timer import BadSchedule, Timer, longest_gap
from shared.domain.watch import SHORTEST_STALE, STALE_INTERVALS
from shared.models.pipeline import Heartbeat
from shared.services.errors import Refusal

log = logging.getLogger(__name__)

LONGEST_ERROR = 300
UNKNOWN_GAP = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class StaleTimer:
    """A timer that should have done its work by now. A dead one does not even start."""

    name: str
    beat_at: datetime
    good_at: datetime | None
    is_dead: bool


@contextmanager
def beating(timer: Timer, *, every: timedelta, clock: Callable[[], datetime]) -> Iterator[None]:
    """Write down that `timer` runs and how the block ended; whatever it raises goes on."""
    _begin(timer, every, clock())
    try:
        yield
    except Exception as problem:
        _note_error(timer, _told(problem))
        raise
    _end(timer, good_at=clock(), last_error="")


def intervals(schedules: Mapping[str, str]) -> dict[Timer, timedelta]:
    """Return how far apart the ticks of each timer are at most, by the schedules in the settings."""
    return {timer: _interval(timer, schedules.get(timer, "")) for timer in Timer}


def stale_after(every: timedelta) -> timedelta:
    return max(STALE_INTERVALS * every, SHORTEST_STALE)


def stale_timers(db: Session, now: datetime) -> list[StaleTimer]:
    """Return the timers that have not run for three intervals, or run but have not ended well for as long."""
    return [
        StaleTimer(name=row.name, beat_at=row.beat_at, good_at=row.good_at, is_dead=_is_over(row.beat_at, row, now))
        for row in db.scalars(select(Heartbeat).order_by(Heartbeat.name))
        if _is_over(row.beat_at, row, now) or (row.last_error and _is_over(row.good_at, row, now))
    ]


def _is_over(since: datetime | None, row: Heartbeat, now: datetime) -> bool:
    return since is None or now - since > stale_after(timedelta(seconds=row.every_seconds))


def _interval(timer: Timer, schedule: str) -> timedelta:
    try:
        return longest_gap(schedule)
    except BadSchedule:
        log.warning("a timer has no schedule that can be read", extra={"timer": timer.value})
        return UNKNOWN_GAP


def _begin(timer: Timer, every: timedelta, now: datetime) -> None:
    facts = {"every_seconds": max(1, int(every.total_seconds())), "beat_at": now}
    row = insert(Heartbeat).values(name=timer.value, **facts)
    with transaction() as db:
        db.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_=facts))


def _note_error(timer: Timer, error: str) -> None:
    """Write down why the timer failed; when even that fails, its own error still goes on."""
    try:
        _end(timer, last_error=error)
    except Exception:
        log.exception("the failure of a timer could not be written down", extra={"timer": timer.value})


def _end(timer: Timer, **facts: object) -> None:
    with transaction() as db:
        db.execute(update(Heartbeat).where(Heartbeat.name == timer.value).values(**facts))


def _told(problem: Exception) -> str:
    """Return our own words whole, but of others only the kind: theirs hold rows, addresses and secrets."""
    if isinstance(problem, Upstream | Refusal):
        return f"{type(problem).__name__}: {problem}"[:LONGEST_ERROR]
    return type(problem).__name__
