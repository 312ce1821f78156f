"""An invented world of jobs whose schedules and missed runs are known, to measure learning and judging against."""

import random
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Amsterdam")
MISS_RATE = 0.02
# Slots of a kind that are needed to learn it; before that nothing is missed.
LEARNING = {"monthly": 4, "monthly_last": 4, "monthly_weekday": 4, "every_2_weeks": 4, "weekly": 4, "few_days": 9} | {
    "hourly": 110,
    "several": 30,
}


@dataclass(slots=True)
class World:
    """One job: its runs, the slots at which it should have run and didn't, and all slots."""

    name: str
    kind: str
    runs: list[datetime] = field(default_factory=list)
    missed: list[datetime] = field(default_factory=list)
    slots: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a job's runs lie around its slots, in minutes: usual end, spread, share of retries and extra runs."""

    length: float = 10
    spread: float = 5
    retries: float = 0.0
    extras: float = 0.0
    drift: float = 0.0
    misses: float = MISS_RATE


def local(day: date, minute: float) -> datetime:
    return datetime.combine(day, time(), ZONE).replace(tzinfo=None) + timedelta(minutes=minute)


def at(day: date, minute: float) -> datetime:
    return local(day, minute).replace(tzinfo=ZONE).astimezone(UTC)


def days_between(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


Days = Callable[[date], bool]


def play(
    name: str,
    kind: str,
    rng: random.Random,
    first: date,
    last: date,
    plan: list[tuple[date, Days, list[float]]],
    habits: Habits,
) -> World:
    """Let a job live from first to last; `plan` says from which day on which days and minutes are its slots."""
    world = World(name, kind)
    known = LEARNING.get(kind, 8)
    for number, day in enumerate(days_between(first, last)):
        _, is_on, minutes = [stage for stage in plan if stage[0] <= day][-1]
        if is_on(day):
            for minute in minutes:
                _one_slot(world, rng, day, minute + habits.drift * number, habits, known)
        if rng.random() < habits.extras:
            world.runs.append(at(day, rng.uniform(0, 1440)))
    world.runs.sort()
    world.missed = [slot for slot in world.missed if not _made_up_for(world, slot)]
    return world


def _made_up_for(world: World, slot: datetime) -> bool:
    """Tell whether an extra run came for a missed slot: early for it, or late."""
    following = next((each for each in world.slots if each > slot), slot + timedelta(days=1))
    allowed = min(timedelta(hours=6), (following - slot) / 2)
    later = sum(slot <= run < following for run in world.runs)
    return later > 0 or any(slot - allowed <= run < slot for run in world.runs)


def _one_slot(world: World, rng: random.Random, day: date, minute: float, habits: Habits, known: int) -> None:
    slot = at(day, minute)
    world.slots.append(slot)
    if len(world.slots) > known and rng.random() < habits.misses:
        world.missed.append(slot)
        return
    end = at(day, minute + max(0.5, rng.gauss(habits.length, habits.spread)))
    world.runs.append(end)
    if rng.random() < habits.retries:
        for attempt in range(rng.randint(1, 3)):
            world.runs.append(end + timedelta(minutes=10 * (attempt + 1)))


def weekdays(*which: int) -> Days:
    return lambda day: day.weekday() in which


def every_n_weeks(n: int, weekday: int, phase: int) -> Days:
    return lambda day: day.weekday() == weekday and day.toordinal() // 7 % n == phase


def day_of_month(number: int) -> Days:
    return lambda day: day.day == number


def last_day(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def nth_weekday(nth: int, weekday: int) -> Days:
    return lambda day: day.weekday() == weekday and (day.day - 1) // 7 + 1 == nth


DAILY = weekdays(*range(7))


def jobs(seed: int, first: date, last: date, number: int) -> Iterator[World]:
    """Yield `number` jobs of each kind."""
    rng = random.Random(seed)
    for index in range(number):
        for kind, make in KINDS.items():
            yield make(f"{kind}-{index}", kind, rng, first, last)


def _time(rng: random.Random) -> float:
    return float(
        rng.choice([rng.randrange(18 * 60, 24 * 60, 15), rng.randrange(0, 8 * 60, 15), rng.randrange(0, 1440, 5)])
    )


def _simple(days: Callable[[random.Random], Days], **habits: float):
    def make(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
        return play(name, kind, rng, first, last, [(first, days(rng), [_time(rng)])], Habits(**habits))

    return make


def _midnight(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    minute = rng.uniform(-25, 25)
    return play(name, kind, rng, first, last, [(first, DAILY, [minute])], Habits(length=10, spread=12))


def _several(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    number = rng.choice([2, 3, 4, 6])
    start = rng.randrange(0, 1440 // number, 5)
    minutes = [start + each * 1440 / number for each in range(number)]
    days = DAILY if rng.random() < 0.7 else weekdays(0, 1, 2, 3, 4)
    return play(name, kind, rng, first, last, [(first, days, minutes)], Habits(length=8, spread=6))


def _hourly(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    first = max(first, last - timedelta(days=40))
    every = rng.choice([1, 1, 2])
    start = rng.randrange(60)
    hours = range(0, 24, every) if rng.random() < 0.7 else range(8, 19, every)
    return play(
        name,
        kind,
        rng,
        first,
        last,
        [(first, DAILY, [start + 60 * hour for hour in hours])],
        Habits(length=4, spread=2),
    )


def _changed(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    middle = first + (last - first) / 2
    before, after = _time(rng), _time(rng)
    change = rng.choice(["time", "time", "denser", "weekday"])
    if change == "time":
        plan = [(first, DAILY, [before]), (middle, DAILY, [after])]
    elif change == "denser":
        plan = [(first, weekdays(rng.randrange(5)), [before]), (middle, DAILY, [before])]
    else:
        one, other = rng.sample(range(7), 2)
        plan = [(first, weekdays(one), [before]), (middle, weekdays(other), [before])]
    return play(name, kind, rng, first, last, plan, Habits())


def _ad_hoc(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    world = World(name, kind)
    share = rng.uniform(0.03, 0.35)
    for day in days_between(first, last):
        if rng.random() < share:
            world.runs.append(at(day, rng.uniform(8 * 60, 19 * 60)))
    return world


def _newcomer(name: str, kind: str, rng: random.Random, first: date, last: date) -> World:
    begun = last - timedelta(days=rng.randint(3, 30))
    days = rng.choice([DAILY, DAILY, weekdays(0, 1, 2, 3, 4)])
    return play(name, kind, rng, begun, last, [(begun, days, [_time(rng)])], Habits())


KINDS = {
    "daily": _simple(lambda rng: DAILY),
    "long": _simple(lambda rng: DAILY, length=240, spread=75),
    "midnight": _midnight,
    "weekdays": _simple(lambda rng: weekdays(0, 1, 2, 3, 4)),
    "weekly": _simple(lambda rng: weekdays(rng.randrange(7))),
    "few_days": _simple(lambda rng: weekdays(*rng.sample(range(7), rng.choice([2, 3])))),
    "every_2_weeks": _simple(lambda rng: every_n_weeks(2, rng.randrange(7), rng.randrange(2))),
    "monthly": _simple(lambda rng: day_of_month(rng.randint(1, 28))),
    "monthly_last": _simple(lambda rng: last_day),
    "monthly_weekday": _simple(lambda rng: nth_weekday(rng.randint(1, 4), rng.randrange(7))),
    "hourly": _hourly,
    "several": _several,
    "ad_hoc": _ad_hoc,
    "changed": _changed,
    "retries": _simple(lambda rng: DAILY, retries=0.15),
    "extras": _simple(lambda rng: DAILY, extras=0.05),
    "drift": _simple(lambda rng: DAILY, drift=1.0),
    "newcomer": _newcomer,
}
