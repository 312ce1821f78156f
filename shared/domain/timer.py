"""The timers of the app, and how often a schedule makes one tick."""

from datetime import timedelta
from enum import StrEnum

DAY = 24 * 60 * 60
ALL = frozenset({"*", "?"})


class Timer(StrEnum):
    """The names of the timer functions. Each takes its schedule from the setting `CRON_` and its name."""

    MAIL_IMPORT = "mail_import"
    GRAPH_SUBSCRIPTION = "graph_subscription"
    WATCHDOG = "watchdog"
    MISSED_RUNS = "missed_runs"
    AUTOTASK_SYNC = "autotask_sync"


class BadSchedule(ValueError):
    """A schedule that the platform would not take either."""


def longest_gap(schedule: str) -> timedelta:
    """Return the longest time between two ticks of an NCRONTAB schedule; where it names days, about. Raise BadSchedule.

    Five fields begin with the minute, six with the second.
    """
    fields = schedule.split()
    if len(fields) not in (5, 6):
        raise BadSchedule(f"a schedule has five or six fields, not {len(fields)}")
    seconds, minutes, hours, *days = fields if len(fields) == 6 else ["0", *fields]
    if (on_days := _longest_between_days(*days)) > timedelta(days=1):
        return on_days
    ticks = [
        hour * 3600 + minute * 60 + second
        for hour in _numbers(hours, 24)
        for minute in _numbers(minutes, 60)
        for second in _numbers(seconds, 60)
    ]
    following = [*ticks[1:], ticks[0] + DAY]
    return timedelta(seconds=max(after - before for before, after in zip(ticks, following, strict=True)))


def _longest_between_days(day: str, month: str, weekday: str) -> timedelta:
    if month not in ALL:
        return timedelta(days=366)
    if day not in ALL:
        return timedelta(days=31)
    return timedelta(days=1 if weekday in ALL else 7)


def _numbers(field: str, end: int) -> list[int]:
    """Return the numbers below `end` that a field names, in order."""
    try:
        found = {number for part in field.split(",") for number in _part(part, end)}
    except ValueError as problem:
        raise BadSchedule(f"not a field of a schedule: {field}") from problem
    if not found or not found <= set(range(end)):
        raise BadSchedule(f"not a field of a schedule: {field}")
    return sorted(found)


def _part(part: str, end: int) -> range:
    numbers, _, step = part.partition("/")
    first, dash, last = ("0", "-", str(end - 1)) if numbers in ALL else numbers.partition("-")
    # "5/15" means from five on, every fifteen.
    stop = int(last) if dash else (end - 1 if step else int(first))
    return range(int(first), stop + 1, int(step or 1))
