"""A schedule as a person types it into a form, and what it means. Pure.

A schedule has parts: days, and the times at which the job runs on them. Times are `HH:MM` on the customer's clock.
`24:30` is half an hour past the midnight that ends the day, and still that day's; `-00:30` is half an hour before it
begins. A time may have a grace of its own behind a slash: `06:00/45`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise

from shared.domain.schedule import DAY, LONGEST_GRACE, Cycle, DayRule, Lane, LastDay, MonthDay, MonthWeekday, Schedule

MOST_PARTS = 12
MOST_TIMES = 144  # every ten minutes
NEAREST = 10  # minutes between two times
MOST_WEEKS = 4
_LATEST = DAY + DAY // 2
_WORKDAYS, _ALL_DAYS = frozenset(range(5)), frozenset(range(7))
_TIME = re.compile(r"(?P<before>-?)(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)(?:/(?P<grace>\d{1,4}))?")
_NTHS = {"1", "2", "3", "4", "-1"}


class Days(StrEnum):
    """On which days a part runs."""

    DAILY = "daily"
    WORKDAYS = "workdays"
    WEEKLY = "weekly"
    WEEKS = "weeks"
    MONTH_DAY = "month_day"
    MONTH_END = "month_end"
    MONTH_WEEKDAY = "month_weekday"


_PLAIN: Mapping[str, DayRule] = {
    Days.DAILY: Cycle(1, _ALL_DAYS),
    Days.WORKDAYS: Cycle(1, _WORKDAYS),
    Days.MONTH_END: LastDay(),
}


class Pace(StrEnum):
    """How a part says at what times it runs."""

    AT = "at"
    EVERY = "every"


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedPart:
    """What stands in one part of the form, as text."""

    days: str = Days.DAILY
    weekdays: frozenset[int] = frozenset()  # 0 is Monday
    every_weeks: str = "2"
    anchor: str = ""  # a day of a week in which it runs, as ISO writes it
    month_day: str = "1"
    nth: str = "1"
    weekday: str = "0"
    pace: str = Pace.AT
    times: str = ""
    every_minutes: str = "60"
    first: str = "00:00"
    last: str = "23:00"


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form; `grace` is for all times that have none of their own."""

    parts: tuple[TypedPart, ...] = (TypedPart(),)
    grace: str = "60"


class Mistyped(ValueError):
    """The form can't be understood; `errors` has a sentence by field, those of a part as `times-0`."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


@dataclass(slots=True)
class _Reader:
    """Takes the form apart, and collects all that is wrong with it."""

    grace: int = 60
    errors: dict[str, str] = field(default_factory=dict)

    def lanes(self, number: int, part: TypedPart) -> list[Lane]:
        rule = self._rule(number, part)
        times = self._every(number, part) if part.pace == Pace.EVERY else self._times(number, part)
        return [Lane(rule=rule, minute=minute, grace=grace) for minute, grace in times] if rule else []

    def number(self, name: str, text: str, least: int, most: int, what: str) -> int | None:
        found = int(text) if text.strip().isdecimal() and len(text) < 10 else -1
        if least <= found <= most:
            return found
        self.errors[name] = f"{what} is a number from {least} to {most}."
        return None

    def _rule(self, number: int, part: TypedPart) -> DayRule | None:
        if part.days in _PLAIN:
            return _PLAIN[part.days]
        if part.days in (Days.WEEKLY, Days.WEEKS):
            return self._cycle(number, part)
        if part.days == Days.MONTH_DAY:
            day = self.number(f"month_day-{number}", part.month_day, 1, 31, "A day of the month")
            return MonthDay(day) if day else None
        if part.days == Days.MONTH_WEEKDAY and part.nth in _NTHS and part.weekday in map(str, _ALL_DAYS):
            return MonthWeekday(int(part.weekday), int(part.nth))
        self.errors[f"days-{number}"] = "Choose on which days it runs."
        return None

    def _cycle(self, number: int, part: TypedPart) -> Cycle | None:
        weekdays = part.weekdays & _ALL_DAYS
        if not weekdays:
            self.errors[f"weekdays-{number}"] = "Tick at least one day."
        if part.days == Days.WEEKLY:
            return Cycle(1, weekdays) if weekdays else None
        weeks = self.number(f"every_weeks-{number}", part.every_weeks, 2, MOST_WEEKS, "How many weeks there are")
        monday = self._monday(number, part)
        return Cycle(weeks, weekdays, monday) if weekdays and weeks and monday else None

    def _monday(self, number: int, part: TypedPart) -> int | None:
        try:
            day = date.fromisoformat(part.anchor.strip()).toordinal()
        except ValueError:
            day = 0
        if 366 <= day <= date.max.toordinal() - 366:
            return day - (day - 1) % 7
        self.errors[f"anchor-{number}"] = "Choose a day of a week in which it runs."
        return None

    def _times(self, number: int, part: TypedPart) -> list[tuple[int, int]]:
        words = [word for word in re.split(r"[\s,;]+", part.times) if word]
        name = f"times-{number}"
        if not words:
            self.errors[name] = "Say at what time it runs, like 22:00."
        if len(words) > MOST_TIMES:
            self.errors[name] = f"A part has at most {MOST_TIMES} times."
            return []
        return [found for word in words if (found := self._time(name, word)) is not None]

    def _time(self, name: str, word: str) -> tuple[int, int] | None:
        """Return the minute after the day's midnight, and the grace."""
        found = _TIME.fullmatch(word)
        minute = 60 * int(found["hours"]) + int(found["minutes"]) if found else _LATEST
        if found is None or minute >= (DAY // 2 if found["before"] else _LATEST):
            self.errors[name] = f"“{word[:40]}” is no time; write it like 22:00."
            return None
        grace = int(found["grace"]) if found["grace"] else self.grace
        if not 1 <= grace <= LONGEST_GRACE:
            self.errors[name] = f"“{word[:40]}”: grace is a number of minutes from 1 to {LONGEST_GRACE}."
            return None
        return -minute if found["before"] else minute, grace

    def _every(self, number: int, part: TypedPart) -> list[tuple[int, int]]:
        minutes = self.number(f"every_minutes-{number}", part.every_minutes, NEAREST, DAY // 2, "The way between")
        first, last = self._time(f"first-{number}", part.first.strip()), self._time(f"last-{number}", part.last.strip())
        if not (minutes and first and last):
            return []
        if last[0] < first[0] or last[0] - first[0] >= DAY:
            self.errors[f"last-{number}"] = "The last time comes after the first, and less than a day later."
            return []
        return [(minute, first[1]) for minute in range(first[0], last[0] + 1, minutes)]


def read_schedule(typed: Typed) -> Schedule:
    """Return the schedule that a form says. Raise Mistyped."""
    reader = _Reader()
    grace = reader.number("grace", typed.grace, 1, LONGEST_GRACE, "Grace in minutes")
    reader.grace = grace or reader.grace
    by_part = [reader.lanes(number, part) for number, part in enumerate(typed.parts[:MOST_PARTS])]
    lanes = _merged([lane for found in by_part for lane in found])
    if not reader.errors:
        reader.errors |= _too_near(by_part, lanes)
    if reader.errors:
        raise Mistyped(reader.errors)
    return Schedule(lanes=lanes, confidence=1.0)


def _merged(lanes: Iterable[Lane]) -> tuple[Lane, ...]:
    """Return the lanes in order; of several that run at one time in equally many weeks there is one.

    Two lanes at one time would leave each other no room to be late. The longest grace is that of both.
    """
    found: dict[tuple[float, object], Lane] = {}
    for lane in lanes:
        key = (lane.minute, lane.rule.weeks if isinstance(lane.rule, Cycle) else lane.rule)
        found[key] = _both(found[key], lane) if key in found else lane
    return tuple(sorted(found.values(), key=lambda lane: lane.minute))


def _both(one: Lane, other: Lane) -> Lane:
    rule = one.rule
    if isinstance(rule, Cycle) and isinstance(other.rule, Cycle):
        apart = other.rule.anchor - rule.anchor
        added = frozenset((place + apart) % (7 * rule.weeks) for place in other.rule.offsets)
        rule = replace(rule, offsets=rule.offsets | added)
    return Lane(rule=rule, minute=one.minute, grace=max(one.grace, other.grace))


def _too_near(by_part: Sequence[Sequence[Lane]], lanes: Sequence[Lane]) -> dict[str, str]:
    minutes = [lane.minute for lane in lanes]
    around = [*minutes, minutes[0] + DAY] if len(minutes) > 1 else minutes
    for one, other in pairwise(around):
        if other - one < NEAREST:
            part = next(number for number, found in enumerate(by_part) if any(each.minute == one for each in found))
            times = f"{_clock(one)} and {_clock(other % DAY)}"
            return {f"times-{part}": f"{times} are too near each other: {NEAREST} minutes at least lie between two."}
    return {}


def typed_of(schedule: Schedule, *, near: date) -> Typed:
    """Return the form that says a schedule, to the minute. Weeks are named by the last one before `near` that ran."""
    lanes = [_inside_its_day(lane) for lane in schedule.lanes]
    usual = max((lane.grace for lane in lanes), default=60)
    parts = [part for rule, of_rule in _by_rule(lanes).items() for part in _parts(rule, of_rule, usual, near)]
    return Typed(parts=tuple(parts) or (TypedPart(),), grace=str(usual))


def _inside_its_day(lane: Lane) -> Lane:
    """Return a weekly lane that runs before its day's midnight as one of the day before."""
    minute = round(lane.minute)
    if minute >= 0 or not isinstance(lane.rule, Cycle):
        return replace(lane, minute=minute)
    return replace(lane, minute=minute + DAY, rule=replace(lane.rule, anchor=lane.rule.anchor - 1))


def _by_rule(lanes: Iterable[Lane]) -> dict[DayRule, list[Lane]]:
    found: dict[DayRule, list[Lane]] = {}
    for lane in sorted(lanes, key=lambda lane: lane.minute):
        found.setdefault(lane.rule, []).append(lane)
    return found


def _parts(rule: DayRule, lanes: Sequence[Lane], usual: int, near: date) -> Iterator[TypedPart]:
    part = TypedPart(times=", ".join(_clock(lane.minute) + _grace(lane, usual) for lane in lanes))
    match rule:
        case Cycle():
            yield from _weeks(part, rule, near)
        case MonthDay(day=day):
            yield replace(part, days=Days.MONTH_DAY, month_day=str(day))
        case LastDay():
            yield replace(part, days=Days.MONTH_END)
        case MonthWeekday(weekday=weekday, nth=nth):
            yield replace(part, days=Days.MONTH_WEEKDAY, weekday=str(weekday), nth=str(nth))


def _weeks(part: TypedPart, rule: Cycle, near: date) -> Iterator[TypedPart]:
    """Yield the part with the days of a cycle, those of each of its weeks on their own."""
    by_week: dict[int, set[int]] = {}
    length = 7 * rule.weeks
    for place in rule.offsets:
        week, weekday = divmod((place + rule.anchor - 1) % length, 7)
        by_week.setdefault(week, set()).add(weekday)
    for week, weekdays in sorted(by_week.items()):
        chosen = frozenset(weekdays)
        if rule.weeks > 1:
            latest = near.toordinal() - (near.toordinal() - 1 - 7 * week) % length
            anchor, weeks = date.fromordinal(latest).isoformat(), str(rule.weeks)
            yield replace(part, days=Days.WEEKS, weekdays=chosen, every_weeks=weeks, anchor=anchor)
        elif chosen in (_ALL_DAYS, _WORKDAYS):
            yield replace(part, days=Days.DAILY if chosen == _ALL_DAYS else Days.WORKDAYS)
        else:
            yield replace(part, days=Days.WEEKLY, weekdays=chosen)


def _clock(minute: float) -> str:
    hours, minutes = divmod(abs(round(minute)), 60)
    return f"{'-' if minute < 0 else ''}{hours:02}:{minutes:02}"


def _grace(lane: Lane, usual: int) -> str:
    return "" if lane.grace == usual else f"/{lane.grace}"
