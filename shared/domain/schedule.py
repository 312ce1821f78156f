"""When a job should run: day rules, times of day, and the slots that follow from them. Pure; times of day are local.

A schedule is a set of lanes. A lane is one run a day at about one time, on the days of its rule: a daily job has one
lane, a job at 06:00 and 18:00 two, an hourly job twenty-four.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

DAY = 1440  # minutes
EARLIEST = 360  # minutes that a run may come before its slot, at most
LONGEST_GRACE = 720
MEETING = 0.4  # of the usual gap; slots that are nearer to each other are one


class ScheduleKind(StrEnum):
    """What people call a schedule."""

    HOURLY = "hourly"
    SEVERAL_DAILY = "several_daily"
    DAILY = "daily"
    WEEKLY = "weekly"
    EVERY_N_WEEKS = "every_n_weeks"
    MONTHLY = "monthly"
    IRREGULAR = "irregular"
    UNKNOWN = "unknown"


class DayRule(Protocol):
    """On which days. Days are ordinals of the proleptic Gregorian calendar, as `date.toordinal` counts them."""

    def includes(self, day: int) -> bool: ...

    @property
    def per_four_weeks(self) -> float:
        """How many days it includes in four weeks, on average."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Cycle:
    """Days that come back every `weeks` weeks; offsets count from a Monday. One week: an ordinary weekly rule."""

    weeks: int
    offsets: frozenset[int]
    anchor: int = 1  # ordinal of a Monday at which the cycle begins; 1 January of year 1 was one

    def includes(self, day: int) -> bool:
        return (day - self.anchor) % (7 * self.weeks) in self.offsets

    @property
    def per_four_weeks(self) -> float:
        return 4 * len(self.offsets) / self.weeks


@dataclass(frozen=True, slots=True)
class MonthDay:
    """The same day of every month; months without it have none."""

    day: int
    per_four_weeks: float = 28 / 30.44

    def includes(self, day: int) -> bool:
        return date.fromordinal(day).day == self.day


@dataclass(frozen=True, slots=True)
class LastDay:
    """The last day of every month."""

    per_four_weeks: float = 28 / 30.44

    def includes(self, day: int) -> bool:
        return date.fromordinal(day + 1).day == 1


@dataclass(frozen=True, slots=True)
class MonthWeekday:
    """The nth weekday of every month, 1 to 4, or -1 for the last."""

    weekday: int
    nth: int
    per_four_weeks: float = 28 / 30.44

    def includes(self, day: int) -> bool:
        if (day - 1) % 7 != self.weekday:
            return False
        of_month = date.fromordinal(day)
        if self.nth == -1:
            return of_month.day + 7 > monthrange(of_month.year, of_month.month)[1]
        return (of_month.day - 1) // 7 + 1 == self.nth


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One expected run on each day of the rule.

    `minute` is the usual time in minutes after that day's local midnight; it may lie outside the day, so that a job
    around midnight keeps its day. `grace` in minutes is what this lane's own spread asks for.
    """

    rule: DayRule
    minute: float
    grace: int


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A moment at which a run is expected. `at` and `deadline` are seconds since the epoch; `early` in seconds."""

    at: float
    deadline: float
    early: float
    lane: int
    day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When a job runs. `lanes` are in the order of their times; without lanes nothing is expected."""

    lanes: tuple[Lane, ...]
    confidence: float
    _gaps: tuple["_Gap", ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_gaps", tuple(_gaps(self.lanes)))

    @property
    def per_four_weeks(self) -> float:
        return sum(lane.rule.per_four_weeks for lane in self.lanes)

    @property
    def kind(self) -> ScheduleKind:
        if not self.lanes:
            return ScheduleKind.IRREGULAR
        if len(self.lanes) == 1:
            return _kind_of(self.lanes[0].rule)
        if any(_meet(one.rule, other.rule) for one, other in pairwise(self.lanes)):
            return self._of_several_lanes()
        offsets = [lane.rule.offsets for lane in self.lanes if isinstance(lane.rule, Cycle) and lane.rule.weeks == 1]
        return _kind_of(Cycle(1, frozenset().union(*offsets))) if offsets else _kind_of(self.lanes[0].rule)

    @property
    def grace(self) -> int | None:
        """The longest grace of a lane, in minutes."""
        return max((self.grace_of(number) for number in range(len(self.lanes))), default=None)

    def grace_of(self, number: int) -> int:
        """Return the minutes that a lane's run may be late: never more than half the way to the next slot."""
        return int(min(self.lanes[number].grace, self.gap_after(number) / 2, LONGEST_GRACE))

    def gap_after(self, number: int) -> float:
        """Return the minutes from a lane to the next one that may come on the same day or the day after."""
        return self._gaps[number].after

    def slots_on(self, day: int, zone: ZoneInfo) -> list[Slot]:
        """Return the day's slots in order. Where the clock skips an hour, two times that meet are one slot."""
        found: dict[float, Slot] = {}
        for number, lane in enumerate(self.lanes):
            if lane.rule.includes(day):
                at = instant_of(day, round(lane.minute), zone)  # people read whole minutes
                early = 60 * min(EARLIEST, self._gaps[number].before / 2)
                found.setdefault(at, Slot(at, at + 60 * self.grace_of(number), early, number, day))
        slots = list(found.values())
        if len(slots) < 2:
            return slots
        return self._apart(sorted(slots)) if self._lacks_an_hour(slots) else sorted(slots)

    def slots_from(self, moment: float, zone: ZoneInfo, *, days: int = 400) -> Iterator[Slot]:
        """Yield the slots after `moment` (seconds since the epoch), at most `days` days on."""
        first = local_day(moment, zone) - 1
        for day in range(first, first + days):
            yield from (slot for slot in self.slots_on(day, zone) if slot.at > moment)

    def _lacks_an_hour(self, slots: Sequence[Slot]) -> bool:
        """Tell whether the clock skips some time between the first and the last of a day's slots, in lanes' order."""
        first, last = slots[0], slots[-1]
        usual = 60 * (self.lanes[last.lane].minute - self.lanes[first.lane].minute)
        return last.at - first.at < usual - 300

    def _apart(self, slots: Sequence[Slot]) -> list[Slot]:
        """Return ascending slots without those that nearly meet the next one."""
        nearly = [60 * MEETING * self._gaps[slot.lane].after for slot in slots]
        apart = [
            one
            for (one, following), near in zip(pairwise(slots), nearly, strict=False)
            if following.at - one.at >= near
        ]
        return [*apart, slots[-1]]

    def _of_several_lanes(self) -> ScheduleKind:
        gaps = [self.gap_after(number) for number in range(len(self.lanes))]
        is_even = len(gaps) >= 6 and max(sorted(gaps)[:-1]) - min(gaps) <= max(15.0, 0.25 * min(gaps))
        return ScheduleKind.HOURLY if is_even else ScheduleKind.SEVERAL_DAILY


@dataclass(frozen=True, slots=True)
class _Gap:
    """Minutes from the slot before to a lane's, and from that to the slot after."""

    before: float
    after: float


def _gaps(lanes: Sequence[Lane]) -> Iterator[_Gap]:
    if len({lane.rule for lane in lanes}) == 1:
        times = [lanes[-1].minute - DAY, *(lane.minute for lane in lanes), lanes[0].minute + DAY]
        steps = [max(after - at, 1.0) for at, after in pairwise(times)]
        yield from map(_Gap, steps, steps[1:])
        return
    for lane in lanes:
        befores = [gap for other in lanes for gap in _gaps_between(other, lane)]
        afters = [gap for other in lanes for gap in _gaps_between(lane, other)]
        yield _Gap(max(min(befores, default=DAY), 1.0), max(min(afters, default=DAY), 1.0))


def _gaps_between(one: Lane, other: Lane) -> Iterator[float]:
    """Yield the minutes from a lane to another one that comes later on the same day, and on the day after."""
    if other.minute > one.minute and _meet(one.rule, other.rule):
        yield other.minute - one.minute
    if _meet(one.rule, other.rule, days_later=1):
        yield other.minute + DAY - one.minute


@lru_cache(maxsize=4096)
def _meet(one: DayRule, other: DayRule, *, days_later: int = 0) -> bool:
    """Tell whether a day of one rule is followed so many days later by one of the other."""
    return any(one.includes(day) and other.includes(day + days_later) for day in range(1, 85))


def _kind_of(rule: DayRule) -> ScheduleKind:
    if not isinstance(rule, Cycle):
        return ScheduleKind.MONTHLY
    if rule.weeks > 1:
        return ScheduleKind.EVERY_N_WEEKS
    return ScheduleKind.DAILY if len(rule.offsets) == 7 else ScheduleKind.WEEKLY


def instant_of(day: int, minute: float, zone: ZoneInfo) -> float:
    """Return the moment of a local time; one that the clock skips is taken as if it had not skipped it."""
    # Whole seconds, so that slots that meet are equal.
    local = datetime.fromordinal(day) + timedelta(seconds=round(60 * minute))
    return local.replace(tzinfo=zone).timestamp()


def local_day(moment: float, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(moment, zone).toordinal()


def as_datetime(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def describe(schedule: Schedule) -> str:
    """Return the schedule in words: "Mon–Fri at 22:05"."""
    if not schedule.lanes:
        return "no regular times"
    if schedule.kind is ScheduleKind.HOURLY:
        times = f"about every {_duration(schedule.gap_after(0))}, {len(schedule.lanes)} times a day"
        return f"{_days(schedule.lanes[0].rule)}, {times}"
    by_days: dict[str, list[str]] = {}
    for lane in schedule.lanes:
        by_days.setdefault(_days(lane.rule), []).append(clock_time(lane.minute))
    return "; ".join(f"{days} at {_listed(times)}" for days, times in by_days.items())


def clock_time(minute: float) -> str:
    hours, minutes = divmod(round(minute) % DAY, 60)
    return f"{hours:02}:{minutes:02}"


_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}


def _days(rule: DayRule) -> str:
    match rule:
        case Cycle(weeks=1, offsets=offsets):
            return _weekdays(offsets)
        case Cycle(weeks=weeks, offsets=offsets):
            return f"every {weeks} weeks on {_listed(sorted({_NAMES[each % 7] for each in offsets}, key=_NAMES.index))}"
        case MonthDay(day=day):
            return f"monthly on day {day}"
        case LastDay():
            return "on the last day of the month"
        case MonthWeekday(weekday=weekday, nth=nth):
            return f"on the {_NTH[nth]} {_NAMES[weekday]} of the month"
    return ""


def _weekdays(offsets: frozenset[int]) -> str:
    days = sorted(offsets)
    if len(days) == 7:
        return "daily"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_NAMES[days[0]]}–{_NAMES[days[-1]]}"
    return _listed([_NAMES[day] for day in days])


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _duration(minutes: float) -> str:
    hours, rest = divmod(round(minutes), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} m" if rest else "") if part)
