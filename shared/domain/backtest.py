"""Tries a schedule, or a maximum silence, on runs that were: what would it have raised? Pure; moments are seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import quantiles
from zoneinfo import ZoneInfo

from shared.domain.schedule import LONGEST_GRACE, Schedule, Slot, as_datetime, local_day
from shared.domain.schedule_course import session_gap
from shared.domain.slot_matching import Judged, match_slots

_ENOUGH = 5  # runs on time that show when they usually come


@dataclass(frozen=True, kw_only=True, slots=True)
class BackTest:
    """What would have been raised within a window. A missed slot whose run came after all is late, not missed.

    `arrivals` are minutes from a slot to the run that came in time for it.
    """

    missed: tuple[datetime, ...] = ()
    late: tuple[datetime, ...] = ()
    arrivals: tuple[float, ...] = ()
    skipped: int = 0

    @property
    def in_time(self) -> int:
        return len(self.arrivals)

    @property
    def usual_arrival(self) -> tuple[float, float] | None:
        """From when to when runs come, in minutes from their slot: nine of ten of those in time."""
        if len(self.arrivals) < _ENOUGH:
            return None
        twentieths = quantiles(self.arrivals, n=20, method="inclusive")
        return twentieths[0], twentieths[-1]


def backtest(
    schedule: Schedule,
    moments: Sequence[float],
    zone: ZoneInfo,
    *,
    start: float,
    until: float,
    is_skipped: Callable[[Slot], bool] = lambda _: False,
) -> BackTest:
    """Judge the slots from `start` to `until` by runs at `moments`, ascending. Before the first run there are none.

    Slots whose grace still runs at `until` count for nothing yet, those that are skipped only as skipped.
    """
    if not moments or not schedule.lanes:
        return BackTest()
    first = max(start, moments[0])
    days = range(local_day(first, zone) - 1, local_day(until, zone) + 1)
    # The days around the window take their own runs, so that none of those answers a slot inside it.
    slots = [slot for day in days for slot in schedule.slots_on(day, zone) if slot.at <= until]
    near = [moment for moment in moments if first - 2 * 86_400 <= moment <= until]
    judged = match_slots(slots, near, session_gap=session_gap(schedule))
    due = [each for each in judged if first <= each.slot.deadline < until and each.slot.at >= start]
    return _counted(due, is_skipped)


def _counted(due: Sequence[Judged], is_skipped: Callable[[Slot], bool]) -> BackTest:
    counted = [each for each in due if not is_skipped(each.slot)]
    return BackTest(
        missed=tuple(as_datetime(each.slot.at) for each in counted if each.run is None),
        late=tuple(as_datetime(each.slot.at) for each in counted if each.is_late),
        arrivals=tuple((each.run - each.slot.at) / 60 for each in counted if each.run is not None and not each.is_late),
        skipped=len(due) - len(counted),
    )


def backtest_silence(moments: Sequence[float], longest: timedelta, *, start: float, until: float) -> BackTest:
    """Tell when a job would have been silent for too long; a silence that a run ended is late, not missed."""
    limit = longest.total_seconds()
    ends = [one + limit for one, other in pairwise(moments) if other - one > limit]
    open_end = [moments[-1] + limit] if moments and until - moments[-1] > limit else []
    return BackTest(
        missed=tuple(as_datetime(end) for end in open_end if start <= end <= until),
        late=tuple(as_datetime(end) for end in ends if start <= end <= until),
    )


def allowed_grace(schedule: Schedule, minutes: int) -> int:
    """Return what of an operator's own grace is applied: half the way from one slot to the next, at most."""
    narrowest = min((schedule.gap_after(number) for number in range(len(schedule.lanes))), default=2.0 * LONGEST_GRACE)
    return max(1, int(min(minutes, narrowest / 2, LONGEST_GRACE)))


def with_grace(schedule: Schedule, minutes: int | None) -> Schedule:
    """Return the schedule with an operator's own grace, or as it is when he has none."""
    if minutes is None:
        return schedule
    grace = allowed_grace(schedule, minutes)
    return replace(schedule, lanes=tuple(replace(lane, grace=grace) for lane in schedule.lanes))


@dataclass(frozen=True, slots=True)
class GraceRange:
    """The shortest and the longest grace of a schedule's times, in minutes, as they are applied."""

    least: int
    most: int


def grace_range(schedule: Schedule | None) -> GraceRange | None:
    if schedule is None or not schedule.lanes:
        return None
    applied = [schedule.grace_of(number) for number in range(len(schedule.lanes))]
    return GraceRange(min(applied), max(applied))
