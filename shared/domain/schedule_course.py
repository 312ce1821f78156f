"""Walks through a job's life: learns its schedule from the runs known so far, and judges each slot with it. Pure.

What was learned is never thinned out by silence. A new reading of the history replaces the schedule in force when it
expects as much as that one (it became denser, or the same number of runs moved to other times); one that expects
less is only a proposal, and the old slots stay judged until a person accepts it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from statistics import median
from zoneinfo import ZoneInfo

from shared.domain.learn_schedule import GRACE_FLOOR, SESSION_GAP, learn, local_minute
from shared.domain.schedule import DAY, Cycle, DayRule, Lane, Schedule, Slot, instant_of, local_day
from shared.domain.slot_matching import Judged, Matching

_AGAIN_UNTIL = 14  # runs; until then every run is a reason to learn anew
_YOUNG_FOR = 16 * 86_400.0  # seconds of life; until then there is a reason every day
_LATELY = 22 * 86_400.0  # long enough for a weekday to come back three times
_ONCE_A_DAY = 20 * 3600.0
_OFF_RUNS = 3  # of the last OFF_WINDOW runs outside the schedule are a reason too
_OFF_WINDOW = 8
_SLOTS_OF_DOUBT = 10
_WEEKS_OF_SILENCE = 35 * 86_400.0
_SILENT_SLOTS = 3
_MOST_OFF_RUNS = 2 * _OFF_RUNS  # that are a reason in the end, although those before taught nothing
_OTHER_TIME = 30.0  # minutes; a lane that moved by less is followed
_NEW_WEEKDAY_RUNS = 2  # on time, that a job which keeps its weekdays needs to get another one
_TIMES = 9  # the latest runs of a lane tell where its time has moved to


@dataclass(slots=True)
class Course:
    """The state after the runs so far. Feed it with `run` in the order of time, then `close` it at the end."""

    zone: ZoneInfo
    floor: int = GRACE_FLOOR
    schedule: Schedule | None = None
    proposal: Schedule | None = None
    moments: list[float] = field(default_factory=list)
    matching: Matching = field(default_factory=Matching)  # slots up to a little after the last run
    mistaken_at: float | None = None  # when a schedule was last given up as chance
    _next_day: int = 0
    _next_slots: list[Slot] = field(default_factory=list)
    _next_slot_from: float = 0.0  # when the first of them, or the day after a day without, comes in sight
    _session_gap: float = 0.0  # seconds within which another run is a further attempt of the last one
    _off: deque[bool] = field(default_factory=lambda: deque(maxlen=_OFF_WINDOW))
    _off_since: list[int] = field(default_factory=list)  # places in `moments` of runs outside the schedule
    _times: dict[int, deque[float]] = field(default_factory=dict)
    _try_again_at: int = 3
    _learned_at: float = 0.0
    _off_count: int = 0  # since the last time they were reason enough
    _off_limit: int = _OFF_RUNS
    _settling_from: int = 0  # the place in `moments` of the first run of days that were adopted lately
    _settling_until: float = 0.0
    _weekdays: frozenset[int] | None = None  # of the last schedule in force

    def run(self, moment: float) -> None:
        """Take in a run; `moment` isn't before the last one."""
        is_retry = bool(self.moments) and moment - self.moments[-1] <= self._session_gap
        self.moments.append(moment)
        if is_retry:
            return
        if self.schedule is not None:
            self._fill(moment)
            self._follow(self.matching.give(moment), moment)
        if self._has_reason():
            self._learn(moment)

    def begin_with(self, schedule: Schedule, before: Sequence[float], moment: float) -> None:
        """Put a schedule in force at a moment; the runs before it teach only together with later ones."""
        self.moments.extend(before)
        self._adopt(schedule, moment)

    def close(self, until: float) -> None:
        """Bring the slots up to `until`, and propose what the last weeks look like where slots stay empty."""
        if self.schedule is None:
            return
        self._fill(until)
        if self.proposal is None and self._is_silent_lately(until):
            found = learn(
                self.moments[bisect_left(self.moments, until - _WEEKS_OF_SILENCE) :], self.zone, floor=self.floor
            )
            self.proposal = found if found is not None and expects_less(found, self.schedule) else None

    def results(self, start: float, until: float) -> tuple[list[Judged], list[Judged]]:
        """Return the missed and the late slots from `start` to `until`; those whose grace runs on are neither."""
        due = [each for each in self.matching.judged if start <= each.slot.at <= until and each.slot.deadline < until]
        return [each for each in due if each.run is None], [each for each in due if each.is_late]

    def was_mistaken_since(self, moment: float) -> bool:
        """Tell whether the job turned out since then to run by chance, not by the schedule it had."""
        return self.mistaken_at is not None and self.mistaken_at > moment

    def _is_silent_lately(self, until: float) -> bool:
        """Tell whether several slots of the last weeks stayed empty: some that are expected may have fallen away."""
        past = takewhile(lambda each: each.slot.at >= until - _WEEKS_OF_SILENCE, reversed(self.matching.judged))
        return sum(each.run is None and each.slot.deadline < until for each in past) >= _SILENT_SLOTS

    def _fill(self, until: float) -> None:
        """Add the slots that a run at `until` could be early for."""
        assert self.schedule is not None
        while self._next_slot_from <= until:
            self.matching.judged.extend(map(Judged, self._next_slots))
            self._next_day += 1
            self._prepare()

    def _prepare(self) -> None:
        """Have the slots of the next day at hand: most runs come long before they are due."""
        assert self.schedule is not None
        self._next_slots = self.schedule.slots_on(self._next_day, self.zone)
        first = self._next_slots[0] if self._next_slots else None
        self._next_slot_from = first.at - first.early if first else instant_of(self._next_day - 1, 0, self.zone)

    def _follow(self, found: Judged | None, moment: float) -> None:
        """Keep the lane's time where its runs are, and note runs that don't fit."""
        is_off = found is None or found.is_late or found.is_far_too_early
        self._off.append(is_off)
        if is_off:
            self._off_count += 1
            self._off_since = [*self._off_since[-_OFF_WINDOW:], len(self.moments) - 1]
        if found is not None and not is_off:
            self._follow_lane(found.slot, moment)

    def _follow_lane(self, slot: Slot, moment: float) -> None:
        assert self.schedule is not None
        lane = self.schedule.lanes[slot.lane]
        times = self._times.setdefault(slot.lane, deque(maxlen=_TIMES))
        times.append(local_minute(moment, self.zone) - slot.day * DAY)
        if len(times) >= 5 and abs((usual := median(times)) - lane.minute) > 5:
            lanes = list(self.schedule.lanes)
            lanes[slot.lane] = replace(lane, minute=usual)
            self.schedule = replace(self.schedule, lanes=tuple(lanes))

    def _has_reason(self) -> bool:
        number, now = len(self.moments), self.moments[-1]
        if self.schedule is None:
            return number >= self._try_again_at
        if self._is_young():
            return number <= _AGAIN_UNTIL or now - self._learned_at >= _ONCE_A_DAY
        if now < self._settling_until:
            return self._off[-1]
        return self._off[-1] and (sum(self._off) >= _OFF_RUNS or self._off_count >= self._off_limit)

    def _is_young(self) -> bool:
        return len(self.moments) <= _AGAIN_UNTIL or self.moments[-1] - self.moments[0] <= _YOUNG_FOR

    def _learn(self, moment: float) -> None:
        """Learn from the time since runs stopped fitting, and from everything."""
        self._learned_at = moment
        if self.schedule is None:
            self._try_again_at = int(len(self.moments) * 1.12) + 1
        if self._was_mistaken():
            self.schedule, self.proposal, self.mistaken_at = None, None, moment
            return
        known = None if self._is_young() else self._weekdays
        for first in self._starts(moment):
            found = learn(self.moments[first:], self.zone, floor=self.floor, known=known)
            if found is not None and (better := self._better(found)) is not None:
                self._adopt(better, moment)
                return
            self.proposal = found or self.proposal

    def _starts(self, moment: float) -> Iterator[int]:
        """Yield the places in `moments` from which on to learn: since runs stopped fitting, lately, and ever.

        While new days settle they may be more than was seen at first; what was before them is over.
        """
        is_settling = moment < self._settling_until
        if is_settling:
            yield self._settling_from
        if sum(self._off) >= _OFF_RUNS:
            yield self._off_since[-sum(self._off)]
        if self._off_count >= self._off_limit:
            self._off_count, self._off_limit = 0, _MOST_OFF_RUNS
            yield bisect_left(self.moments, moment - _LATELY)
        if not is_settling:
            yield 0

    def _was_mistaken(self) -> bool:
        """Tell whether the job runs on, but not on this schedule: then it was chance.

        Silence is something else: a job that fails to run keeps its times when it does run.
        """
        past = [each for each in self.matching.judged[-_SLOTS_OF_DOUBT - 20 :] if each.slot.deadline < self.moments[-1]]
        past = past[-_SLOTS_OF_DOUBT:]
        if self.schedule is None or len(past) < _SLOTS_OF_DOUBT:
            return False
        on_time = sum(each.run is not None and not each.is_late for each in past)
        runs = len(self.moments) - bisect_left(self.moments, past[0].slot.at - past[0].slot.early)
        return on_time <= 0.4 * len(past) and runs - on_time >= max(_OFF_RUNS, on_time)

    def _better(self, found: Schedule) -> Schedule | None:
        """Return what is to replace the schedule in force: nothing expects less, but for what was only a guess."""
        if self.schedule is None:
            return found
        if not self._is_young() and self.moments[-1] >= self._settling_until:
            found = self._without_guests(found)
        if same_days(found, self.schedule):
            is_news = self._is_young() or (sum(self._off) >= _OFF_RUNS and _moved(found, self.schedule, by=_OTHER_TIME))
            return found if is_news else None
        if not expects_less(found, self.schedule):
            return found
        return self._without_guesses(found) if self._is_young() else None

    def _without_guests(self, found: Schedule) -> Schedule:
        """Return `found` without weekdays that a job which runs on as before seems to get: runs by hand make none."""
        new = _weekdays(found) - (self._weekdays or frozenset())
        if not new or sum(self._off) > len(self._off) / 2:
            return found
        lately = self.moments[bisect_left(self.moments, self.moments[-1] - _LATELY) :]
        times = Counter(place.weekday for place in _places(found, lately, self.zone, in_time=True))
        return _without_weekdays(found, {weekday for weekday in new if times[weekday] < _NEW_WEEKDAY_RUNS}) or found

    def _without_guesses(self, found: Schedule) -> Schedule | None:
        """Return `found` if no run ever came on the days that it leaves out: they were only assumed.

        Else return what is in force without those weekdays that `found` leaves out, on which no run came in time, and
        on one of which none came at all.
        """
        assert self.schedule is not None
        if all(_expects_near(found, place) for place in _places(self.schedule, self.moments, self.zone)):
            return found
        over = [
            each.slot for each in self.matching.judged if each.run is None and each.slot.deadline < self.moments[-1]
        ]
        empty = [_Place(slot.day, local_minute(slot.at, self.zone) - slot.day * DAY) for slot in over]
        guessed = {place.weekday for place in empty if not _expects_near(found, place)}
        proven = {place.weekday for place in _places(self.schedule, self.moments, self.zone, in_time=True)}
        thinner = _without_weekdays(self.schedule, guessed - proven)
        return thinner if thinner is not None and not same_days(thinner, self.schedule) else None

    def _adopt(self, found: Schedule, moment: float) -> None:
        """Put a schedule in force from now on. The run just seen is the one of the slot nearest to it."""
        other_days = self.schedule is not None and not same_days(found, self.schedule)
        changed = self.schedule is None or other_days or _moved(found, self.schedule)
        if other_days and not self._is_young() and moment >= self._settling_until and any(self._off):
            self._settling_from, self._settling_until = self._off_since[-sum(self._off)], moment + _YOUNG_FOR
        self.schedule, self.proposal, self._weekdays = found, None, _weekdays(found)
        if not changed:
            return
        self._session_gap = session_gap(found)
        self._times.clear()
        self._off.clear()
        self._off_count, self._off_limit = 0, _OFF_RUNS
        while self.matching.judged and self.matching.judged[-1].slot.at > moment:
            self.matching.judged.pop()
        self._next_day = local_day(moment, self.zone) - 1
        upcoming = [
            Judged(slot)
            for day in range(self._next_day, self._next_day + 3)
            for slot in found.slots_on(day, self.zone)
            if slot.at + slot.early > moment
        ]
        nearest = min(upcoming, key=lambda each: abs(each.slot.at - moment), default=None)
        covered = nearest.slot.at if nearest and abs(nearest.slot.at - moment) <= nearest.slot.early else moment
        self.matching.judged.extend(each for each in upcoming if each.slot.at > max(covered, moment))
        self._next_day += 3
        self._prepare()


def walk(
    moments: Sequence[float],
    zone: ZoneInfo,
    until: float,
    *,
    floor: int = GRACE_FLOOR,
    accepted: tuple[Schedule, float] | None = None,
) -> Course:
    """Return the course of a job after its runs (seconds since the epoch, ascending), closed at `until`.

    A schedule that a person accepted at some moment is in force from then on, whatever was before.
    """
    course = Course(zone=zone, floor=floor)
    first = bisect_right(moments, accepted[1]) if accepted else 0
    if accepted is not None:
        course.begin_with(accepted[0], moments[:first], accepted[1])
    for moment in moments[first:]:
        if moment > until:
            break
        course.run(moment)
    course.close(until)
    return course


def session_gap(schedule: Schedule) -> float:
    """Return the seconds within which another run is a further attempt of the one before."""
    return 60 * min(SESSION_GAP, *(schedule.gap_after(lane) / 4 for lane in range(len(schedule.lanes))))


def expects_less(found: Schedule, than: Schedule) -> bool:
    """Tell whether a schedule expects fewer runs: those that fall away would never be missed."""
    return found.per_four_weeks < than.per_four_weeks - 0.01


def same_days(one: Schedule, other: Schedule) -> bool:
    return sorted(map(_key, (lane.rule for lane in one.lanes))) == sorted(
        map(_key, (lane.rule for lane in other.lanes))
    )


def _key(rule: DayRule) -> str:
    if isinstance(rule, Cycle):
        return f"{rule.weeks} {sorted((place + rule.anchor) % (7 * rule.weeks) for place in rule.offsets)}"
    return repr(rule)


def _moved(one: Schedule, other: Schedule, *, by: float = 5.0) -> bool:
    """Tell whether a lane's time differs by more than so many minutes; 5 are what following it does anyway."""
    return any(abs(lane.minute - before.minute) > by for lane, before in zip(one.lanes, other.lanes, strict=True))


def _includes(schedule: Schedule, day: int) -> bool:
    return any(lane.rule.includes(day) for lane in schedule.lanes)


def _weekdays(schedule: Schedule) -> frozenset[int]:
    """Return the weekdays on which a schedule ever expects a run, Monday is 0."""
    return frozenset((day - 1) % 7 for day in range(1, 7 * 4 + 1) if _includes(schedule, day))


@dataclass(frozen=True, slots=True)
class _Place:
    """A day of a lane and the lane's time: what is near in time may be another day's around midnight."""

    day: int
    minute: float

    @property
    def weekday(self) -> int:
        return (self.day - 1) % 7


def _places(schedule: Schedule, moments: Sequence[float], zone: ZoneInfo, *, in_time: bool = False) -> set[_Place]:
    """Return at which places of a schedule a run came; `in_time` well within the grace: by hand proves no weekday."""
    places = set()
    for minute in (local_minute(moment, zone) for moment in moments):
        for number, lane in enumerate(schedule.lanes):
            near = min(schedule.grace_of(number), max(GRACE_FLOOR, lane.grace / 2)) if in_time else DAY / 2
            day = round((minute - lane.minute) / DAY)
            if abs(minute - lane.minute - day * DAY) <= near and lane.rule.includes(day):
                places.add(_Place(day, lane.minute))
    return places


def _expects_near(schedule: Schedule, place: _Place) -> bool:
    """Tell whether a schedule expects a run within half a day of a place of another one."""
    at = place.day * DAY + place.minute
    return any(lane.rule.includes(round((at - lane.minute) / DAY)) for lane in schedule.lanes)


def _without_weekdays(schedule: Schedule, weekdays: set[int]) -> Schedule | None:
    """Return a schedule without some weekdays of its weekly lanes, None when nothing is left."""
    lanes = [_lane_without(lane, weekdays) for lane in schedule.lanes]
    kept = tuple(lane for lane in lanes if lane is not None)
    return replace(schedule, lanes=kept) if kept else None


def _lane_without(lane: Lane, weekdays: set[int]) -> Lane | None:
    if not isinstance(lane.rule, Cycle) or lane.rule.weeks != 1:
        return lane
    offsets = frozenset(place for place in lane.rule.offsets if place not in weekdays)
    return replace(lane, rule=replace(lane.rule, offsets=offsets)) if offsets else None
