"""Learns a schedule from the moments at which runs were reported. Pure; docs/schedules.md tells the method.

1. Attempts that follow one another within an hour are one session, known by its first.
2. Times of day are circular: a job around midnight has one centre, and a run belongs to the nearest one's day.
3. One session on most days is one lane; else the usual number of sessions a day says how many lanes there are.
4. For each lane the days that had a run show its day rule.
5. What the lanes leave unexplained may be one more lane: "and Saturdays at 10:00".
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import atan2, cos, pi, sin
from statistics import median
from zoneinfo import ZoneInfo

from shared.domain.day_rules import Fit, find_day_rule
from shared.domain.schedule import DAY, Lane, Schedule

SESSION_GAP = 60.0  # minutes between attempts of one session, at most
LOOK_BACK = 180  # days
GRACE_FLOOR = 60
YOUNG = 8  # runs; with fewer, times of day must agree closely and grace is generous
YOUNG_SPREAD = 45.0
VAGUE = 90.0  # minutes that half the runs of a lane are away from its centre
_NARROW = 30.0  # as VAGUE; then a run far from the centre was probably one by hand
_WIDEST = 240.0  # minutes that half the runs of a lane lie within, around its centre
_TIMES = 40  # the latest sessions that tell the time of day
_LANES_FROM = 21  # days that tell how many lanes there are
_EVEN_LANES = 6  # and more, a day, make a pace that is seen although runs are missing
_EVEN_GAPS = 24


@dataclass(frozen=True, slots=True)
class Session:
    """The start of a burst of attempts, as minutes since the beginning of the calendar in local time."""

    minute: float

    @property
    def day(self) -> int:
        return int(self.minute // DAY)


@dataclass(frozen=True, slots=True)
class _Times:
    """One lane's times: sessions by day, each with its deviation from the centre in minutes."""

    centre: float
    by_day: dict[int, float]

    def spread(self) -> float:
        """Return the median deviation."""
        return median(map(abs, self._latest()))

    def grace(self, floor: int) -> int:
        """Return the minutes after which a run of this lane is late: beyond nearly all that were seen."""
        late = sorted(self._latest())
        usual = max(0.0, late[int(0.95 * (len(late) - 1))])
        generous = 1.5 * usual + 20
        return round(max(floor, generous if len(late) >= YOUNG else max(generous, 2 * floor)))

    def _latest(self) -> list[float]:
        return list(self.by_day.values())[-_TIMES:]


def learn(
    moments: Sequence[float], zone: ZoneInfo, *, floor: int = GRACE_FLOOR, known: frozenset[int] | None = None
) -> Schedule | None:
    """Return the schedule behind `moments` (seconds since the epoch, ascending), or None when none is certain.

    Only the look-back before the last moment counts. `known` are the weekdays (Monday is 0) of a job that ran before
    these moments, which it is assumed to keep; None for one that is new.
    """
    sessions = _sessions(moments, zone)
    if len(sessions) < 3:
        return None
    first = _single(sessions)
    lanes = _one_lane(first, sessions, floor, known) if first else _several_lanes(sessions, floor, known)
    if not lanes:
        return None
    hits, expected = sum(fit.hits for _, fit in lanes), sum(fit.expected for _, fit in lanes)
    ordered = tuple(sorted((lane for lane, _ in lanes), key=lambda lane: lane.minute))
    return Schedule(lanes=ordered, confidence=round((hits + 1) / (max(expected, hits) + 2), 3))


def _sessions(moments: Sequence[float], zone: ZoneInfo) -> list[Session]:
    if not moments:
        return []
    recent = moments[bisect_left(moments, moments[-1] - LOOK_BACK * 86_400) :]
    gaps = [later - earlier for earlier, later in pairwise(recent)]
    longest = min(60 * SESSION_GAP, median(gaps) / 4) if gaps else 0.0
    starts = [recent[0], *(later for gap, later in zip(gaps, recent[1:], strict=True) if gap > longest)]
    return [Session(local_minute(moment, zone)) for moment in starts]


def local_minute(moment: float, zone: ZoneInfo) -> float:
    """Return a moment as minutes on the zone's clock since the beginning of the calendar."""
    local = datetime.fromtimestamp(moment, zone)
    return local.toordinal() * DAY + local.hour * 60 + local.minute + local.second / 60


def _single(sessions: Sequence[Session]) -> _Times | None:
    """Return all sessions as one lane, or None when too many days have several."""
    centre = _centre([session.minute for session in sessions[-_TIMES:]])
    by_day: dict[int, float] = {}
    doubles = 0
    for session in sessions:
        day = round((session.minute - centre) / DAY)
        deviation = session.minute - centre - day * DAY
        if day in by_day:
            doubles += 1
            deviation = min(by_day[day], deviation, key=abs)
        by_day[day] = deviation
    return _Times(centre, by_day) if doubles <= 0.3 * len(by_day) else None


def _centre(minutes: Sequence[float]) -> float:
    """Return the circular median of times of day in minutes, by way of their mean direction."""
    angles = [2 * pi * (minute % DAY) / DAY for minute in minutes]
    mean = atan2(sum(map(sin, angles)), sum(map(cos, angles))) * DAY / (2 * pi)
    return (mean + median((minute - mean + DAY / 2) % DAY - DAY / 2 for minute in minutes)) % DAY


def _one_lane(
    times: _Times, sessions: Sequence[Session], floor: int, known: frozenset[int] | None
) -> list[tuple[Lane, Fit]]:
    main = _without_guests(_without_outliers(times))
    lane = _lane(main, floor, known)
    if lane is None:
        return []
    used = {round(day * DAY + main.centre + deviation) for day, deviation in main.by_day.items()}
    others = [session for session in sessions if round(session.minute) not in used]
    second = _second_lane(others, floor) if len(others) >= 4 else None
    return [lane, second] if second and _went_on(main, lane[1], others) else [lane]


def _went_on(main: _Times, fit: Fit, others: Sequence[Session]) -> bool:
    """Tell whether the first lane kept running beside the others: if not, the job moved to another time."""
    first, last = others[0].day, others[-1].day
    expected = sum(fit.rule.includes(day) for day in range(first, last + 1))
    return sum(first <= day <= last for day in main.by_day) >= 0.6 * expected


def _without_outliers(times: _Times) -> _Times:
    """Leave out sessions far from the usual time, unless the job is one that has no narrow time."""
    limit = max(240.0, 6 * times.spread())
    return _Times(times.centre, {day: each for day, each in times.by_day.items() if abs(each) <= limit})


def _without_guests(times: _Times) -> _Times:
    """Leave out weekdays that only runs by hand seem to have: neither at the usual time nor at one of their own.

    Where the times of day are wide these can't be told apart.
    """
    spread = times.spread()
    if len(times.by_day) < YOUNG or spread > _NARROW:
        return times
    narrow = max(60.0, 4 * spread)
    by_weekday: dict[int, list[float]] = {}
    for day, deviation in times.by_day.items():
        by_weekday.setdefault((day - 1) % 7, []).append(deviation)
    guests = {
        weekday
        for weekday, deviations in by_weekday.items()
        if sum(abs(each) <= narrow for each in deviations) < min(2, len(deviations))
        and (len(deviations) == 1 or max(deviations) - min(deviations) > 60)
    }
    if not guests:
        return times
    return _Times(times.centre, {day: each for day, each in times.by_day.items() if (day - 1) % 7 not in guests})


def _second_lane(sessions: Sequence[Session], floor: int) -> tuple[Lane, Fit] | None:
    """Return a regular lane among leftovers: extra runs by hand are many too, so it must be plain."""
    if len(sessions) < 4:
        return None
    times = _single(sessions)
    if times is None or times.spread() > 30 or (found := _lane(times, floor, None, may_be_young=False)) is None:
        return None
    return found if found[1].hits >= 4 and found[1].holds(ratio=0.75, extras=0.2) else None


def _lane(
    times: _Times, floor: int, known: frozenset[int] | None, *, may_be_young: bool = True
) -> tuple[Lane, Fit] | None:
    if len(times.by_day) < 3 or times.spread() > (YOUNG_SPREAD if len(times.by_day) < YOUNG else _WIDEST):
        return None
    days, is_vague = sorted(times.by_day), times.spread() > VAGUE
    fit = find_day_rule(days, is_vague=is_vague, may_be_young=may_be_young, known=known)
    return (Lane(rule=fit.rule, minute=times.centre, grace=times.grace(floor)), fit) if fit else None


def _several_lanes(sessions: Sequence[Session], floor: int, known: frozenset[int] | None) -> list[tuple[Lane, Fit]]:
    """Return a lane for each of the day's usual sessions, when they are regular enough to be told apart."""
    cut = _quiet_minute(sessions)
    days: dict[int, list[float]] = {}
    for session in sessions:
        day = int((session.minute - cut) // DAY)
        days.setdefault(day, []).append(session.minute - cut - day * DAY)
    centres = _lane_centres(days) or _even_centres(days)
    if not centres:
        return []
    candidates = [(times, _lane(times, floor, known)) for times in _assigned(centres, days, cut)]
    lanes = [lane for _, lane in candidates if lane is not None]
    explained = sum(len(times.by_day) for times, lane in candidates if lane is not None)
    return lanes if len(lanes) > 1 and explained >= 0.7 * len(sessions) else []


def _lane_centres(days: dict[int, list[float]]) -> list[float]:
    """Return the usual times after the cut, from the whole days that have the usual number of sessions."""
    ordered = sorted(days)
    whole = [day for day in ordered[1:-1] if day > ordered[-1] - _LANES_FROM]
    if len(whole) < 2:
        return []
    number = Counter(len(days[day]) for day in whole).most_common(1)[0][0]
    usual = [days[day] for day in whole if len(days[day]) == number]
    if number < 2 or len(usual) < max(2, 0.4 * len(whole)):
        return []
    columns = list(zip(*usual, strict=True))
    centres = [median(column) for column in columns]
    narrowest = min(later - earlier for earlier, later in pairwise([*centres, centres[0] + DAY]))
    spreads = (median(abs(time - centre) for time in column) for column, centre in zip(columns, centres, strict=True))
    return centres if max(spreads) <= 0.3 * narrowest else []


def _even_centres(days: dict[int, list[float]]) -> list[float]:
    """Return the times after the cut of a job that runs at an even pace, though few days have all of them."""
    ordered = sorted(days)
    whole = [days[day] for day in ordered[1:-1] if day > ordered[-1] - _LANES_FROM]
    gaps = [later - earlier for times in whole for earlier, later in pairwise(times)]
    if len(gaps) < _EVEN_GAPS or (number := round(DAY / median(gaps))) < _EVEN_LANES:
        return []
    step = DAY / number
    times = [time for times in whole for time in times]
    angles = [2 * pi * (time % step) / step for time in times]
    phase = (atan2(sum(map(sin, angles)), sum(map(cos, angles))) * step / (2 * pi)) % step
    places: dict[int, list[float]] = {}
    for time in times:
        places.setdefault(round((time - phase) / step), []).append(time)
    centres = {place: median(found) for place, found in places.items() if len(found) >= 0.5 * len(whole)}
    off = median(abs(time - phase - place * step) for place, found in places.items() for time in found)
    return [centres[place] for place in sorted(centres)] if off <= 0.2 * step else []


def _assigned(centres: Sequence[float], days: dict[int, list[float]], cut: float) -> list[_Times]:
    """Give each session to the nearest lane within half the way to the next."""
    edges = [(earlier + later) / 2 for earlier, later in pairwise(centres)]
    lanes: list[dict[int, float]] = [{} for _ in centres]
    for day in sorted(days):
        for time in days[day]:
            number = bisect_left(edges, time)
            deviation = time - centres[number]
            lane = lanes[number]
            if day not in lane or abs(deviation) < abs(lane[day]):
                lane[day] = deviation
    return [_on_calendar_days(cut + centre, lane) for centre, lane in zip(centres, lanes, strict=True) if lane]


def _on_calendar_days(minute: float, by_day: dict[int, float]) -> _Times:
    """Return times whose days began at a cut, by the days on which they are."""
    later, centre = divmod(minute, DAY)
    return _Times(centre, {day + int(later): deviation for day, deviation in by_day.items()})


def _quiet_minute(sessions: Sequence[Session]) -> float:
    """Return a time of day at which no run is about to come, so that no lane is cut in two."""
    times = sorted(session.minute % DAY for session in sessions[-300:])
    bins = Counter(int(time // 30) for time in times)
    busy = 0.05 * max(bins.values())
    best = max(range(48), key=lambda start: _quiet_length(start, bins, busy))
    length = _quiet_length(best, bins, busy)
    if length >= 3:
        return best * 30 + length * 15.0
    gaps = [later.minute - earlier.minute for earlier, later in pairwise(sessions)]
    usual = median(gaps)  # all day long: cut half-way between two of the regular times
    angles = [2 * pi * (session.minute % usual) / usual for session in sessions[-100:]]
    phase = atan2(sum(map(sin, angles)), sum(map(cos, angles))) * usual / (2 * pi)
    return (phase + usual / 2) % usual


def _quiet_length(start: int, bins: Counter[int], busy: float) -> int:
    length = 0
    while length < 48 and bins[(start + length) % 48] <= busy:
        length += 1
    return length
