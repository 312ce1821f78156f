"""When a device that sleeps has been without a good backup for too long.

It runs whenever somebody opens it, so no slot is expected of it; what counts is how old its last good backup is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Since when a device waits for a good backup, and the moment up to which its silence is proven.

    `reviewed_at` is when somebody last saw that it is overdue: that buys him the limit's length once more.
    """

    since: datetime
    proven_until: datetime
    reviewed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lapse:
    """The limit passed at `passed_at`; by now it is `days` since the last good backup."""

    passed_at: datetime
    days: int


def lapse(
    waiting: Waiting, *, limit: int, zone: ZoneInfo, counts: Callable[[datetime], bool] = lambda _: True
) -> Lapse | None:
    """Return what is to be raised, or None while the limit has not passed.

    A day is over at the local time of the last good backup. One that does not count, because it is closed or paused
    at that moment, brings the limit no nearer, but is among the days.
    """
    passed_at, days, counted = None, 0, 0
    seen = waiting.reviewed_at or waiting.since
    for number, moment in _days_over(waiting, zone):
        if not counts(moment):
            continue
        days, counted = number, counted + (moment > seen)
        if counted == limit and passed_at is None:
            passed_at = moment
    return Lapse(passed_at=passed_at, days=days) if passed_at else None


def day_over(since: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return when so many days since `since` are over: at the same local time, whatever the clock did."""
    local = since.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return local.replace(tzinfo=zone).astimezone(UTC)


def _days_over(waiting: Waiting, zone: ZoneInfo) -> Iterator[tuple[int, datetime]]:
    number = 1
    while (moment := day_over(waiting.since, number, zone)) <= waiting.proven_until:
        yield number, moment
        number += 1


def in_words(days: int, limit: int, *, was_ever_good: bool) -> str:
    """Return the sentence that an overdue run carries."""
    length = f"{days} day" if days == 1 else f"{days} days"
    if was_ever_good:
        return f"no good backup for {length} (limit {limit})"
    return f"no good backup yet, {length} after the first report (limit {limit})"
