"""A schedule that was typed means what the form says, and the form of a schedule says just that schedule."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.schedule import (
    Cycle,
    DayRule,
    Lane,
    LastDay,
    MonthDay,
    MonthWeekday,
    Schedule,
    describe,
)
from shared.domain.typed_schedule import Days, Mistyped, Pace, Typed, TypedPart, read_schedule, typed_of

ZONE = ZoneInfo("Europe/Amsterdam")
NEAR = date(2026, 11, 25)


def read(*parts: TypedPart, grace: str = "60") -> Schedule:
    return read_schedule(Typed(parts=parts, grace=grace))


def attempted(typed: Typed) -> tuple[Schedule | None, dict[str, str]]:
    try:
        return read_schedule(typed), {}
    except Mistyped as problem:
        return None, problem.errors


def errors(*parts: TypedPart, grace: str = "60") -> dict[str, str]:
    with pytest.raises(Mistyped) as caught:
        read(*parts, grace=grace)
    return caught.value.errors


@pytest.mark.parametrize(
    "part, words",
    [
        (TypedPart(days=Days.DAILY, times="22:00"), "daily at 22:00"),
        (TypedPart(days=Days.WORKDAYS, times="6:00, 18:00"), "Mon–Fri at 06:00 and 18:00"),
        (TypedPart(days=Days.WEEKLY, weekdays=frozenset({1, 5}), times="22:05"), "Tue and Sat at 22:05"),
        (
            TypedPart(days=Days.WEEKS, weekdays=frozenset({2}), anchor="2026-11-25", times="22:00"),
            "every 2 weeks on Wed at 22:00",
        ),
        (TypedPart(days=Days.MONTH_DAY, month_day="15", times="22:00"), "monthly on day 15 at 22:00"),
        (TypedPart(days=Days.MONTH_END, times="22:00"), "on the last day of the month at 22:00"),
        (
            TypedPart(days=Days.MONTH_WEEKDAY, nth="2", weekday="1", times="22:00"),
            "on the second Tue of the month at 22:00",
        ),
        (
            TypedPart(pace=Pace.EVERY, every_minutes="60", first="00:10", last="23:10"),
            "daily, about every 1 h, 24 times a day",
        ),
    ],
)
def test_each_kind_of_days_can_be_typed(part: TypedPart, words: str) -> None:
    assert describe(read(part)) == words


def test_a_part_for_the_weekend_stands_beside_that_of_the_week() -> None:
    saturday = TypedPart(days=Days.WEEKLY, weekdays=frozenset({5}), times="10:00")

    assert describe(read(TypedPart(days=Days.WORKDAYS, times="22:00"), saturday)) == "Sat at 10:00; Mon–Fri at 22:00"


def test_every_two_weeks_begins_with_the_week_that_was_named() -> None:
    part = TypedPart(days=Days.WEEKS, weekdays=frozenset({2}), anchor="2026-11-27", times="22:00")

    days = [day for day in range(NEAR.toordinal(), NEAR.toordinal() + 29) if read(part).slots_on(day, ZONE)]

    assert [day - NEAR.toordinal() for day in days] == [0, 14, 28]


def test_a_time_may_have_a_grace_of_its_own() -> None:
    lanes = read(TypedPart(times="06:00/45, 18:00"), grace="90").lanes

    assert [(lane.minute, lane.grace) for lane in lanes] == [(360, 45), (1080, 90)]


def test_two_parts_at_one_time_become_one_with_the_longer_grace() -> None:
    """Two lanes at the same time would leave each other half a minute of grace."""
    saturday = TypedPart(days=Days.WEEKLY, weekdays=frozenset({5}), times="22:00/90")

    found = read(TypedPart(days=Days.WORKDAYS, times="22:00"), saturday)

    assert describe(found) == "Mon–Sat at 22:00"
    assert found.grace == 90


@pytest.mark.parametrize(
    "part, field, words",
    [
        (TypedPart(times=""), "times-0", "Say at what time"),
        (TypedPart(times="22.00"), "times-0", "“22.00” is no time"),
        (TypedPart(times="25:61"), "times-0", "is no time"),
        (TypedPart(times="36:00"), "times-0", "is no time"),
        (TypedPart(times="22:00/0"), "times-0", "from 1 to 720"),
        (TypedPart(times="22:00, 22:05"), "times-0", "22:00 and 22:05 are too near"),
        (TypedPart(times="23:58, 00:01"), "times-0", "23:58 and 00:01 are too near"),
        (TypedPart(days=Days.WEEKLY, times="22:00"), "weekdays-0", "Tick at least one day"),
        (TypedPart(days="fortnightly", times="22:00"), "days-0", "Choose on which days"),
        (TypedPart(days=Days.MONTH_DAY, month_day="32", times="22:00"), "month_day-0", "from 1 to 31"),
        (TypedPart(days=Days.MONTH_WEEKDAY, nth="5", times="22:00"), "days-0", "Choose on which days"),
        (TypedPart(days=Days.WEEKS, weekdays=frozenset({1}), anchor="", times="22:00"), "anchor-0", "Choose a day"),
        (
            TypedPart(days=Days.WEEKS, weekdays=frozenset({1}), anchor="0001-01-01", times="22:00"),
            "anchor-0",
            "Choose a day",
        ),
        (
            TypedPart(days=Days.WEEKS, weekdays=frozenset({1}), anchor="2026-11-25", every_weeks="1", times="22:00"),
            "every_weeks-0",
            "from 2 to 4",
        ),
        (TypedPart(pace=Pace.EVERY, every_minutes="5"), "every_minutes-0", "from 10 to 720"),
        (TypedPart(pace=Pace.EVERY, first="18:00", last="06:00"), "last-0", "comes after the first"),
        (TypedPart(pace=Pace.EVERY, first="noon"), "first-0", "is no time"),
    ],
)
def test_what_cannot_be_understood_is_said_beside_its_field(part: TypedPart, field: str, words: str) -> None:
    found = errors(part)

    assert list(found) == [field]
    assert words in found[field]


def test_all_errors_are_said_at_once() -> None:
    found = errors(TypedPart(times="soon"), TypedPart(days=Days.WEEKLY, times="22:00"), grace="none")

    assert set(found) == {"times-0", "weekdays-1", "grace"}


TEXT = st.text(max_size=12)


@given(
    days=st.sampled_from([*Days, "?"]),
    weekdays=st.frozensets(st.integers(-2, 9)),
    words=st.lists(TEXT | st.sampled_from(["22:00", "-00:30", "2026-02-30", "²", "٣", "1e9", "9" * 400]), min_size=9),
)
def test_whatever_is_typed_is_either_understood_or_explained(
    days: str, weekdays: frozenset[int], words: list[str]
) -> None:
    part = TypedPart(
        days=days,
        weekdays=weekdays,
        every_weeks=words[0],
        anchor=words[1],
        month_day=words[2],
        nth=words[3],
        weekday=words[4],
        pace=Pace.EVERY if len(words) % 2 else Pace.AT,
        times=words[5],
        every_minutes=words[6],
        first=words[7],
        last=words[8],
    )

    found, problems = attempted(Typed(parts=(part,), grace=words[0]))

    assert (found is None) == bool(problems)
    assert found is None or found.lanes


@st.composite
def minutes_of_day(draw: st.DrawFn) -> list[float]:
    """Return times within one day, which may begin some hours before or after midnight."""
    first, hours = draw(st.integers(-11, 11)), draw(st.sets(st.integers(0, 23), min_size=1, max_size=4))
    return [60.0 * (first + hour) + 7.25 for hour in sorted(hours)]


@st.composite
def rules(draw: st.DrawFn) -> DayRule:
    weeks = draw(st.integers(1, 4))
    offsets = draw(st.frozensets(st.integers(0, 7 * weeks - 1), min_size=1))
    monday = 1 + 7 * draw(st.integers(100_000, 105_800))
    cycle = Cycle(weeks, offsets, monday if weeks > 1 else 1)
    monthly = [MonthDay(draw(st.integers(1, 31))), LastDay(), MonthWeekday(draw(st.integers(0, 6)), 2)]
    return draw(st.sampled_from([cycle, *monthly, MonthWeekday(4, -1)]))


@given(
    minutes=minutes_of_day(),
    days=st.lists(rules(), min_size=4, max_size=4),
    graces=st.lists(st.integers(1, 720), min_size=4, max_size=4),
)
def test_the_form_of_a_schedule_says_that_schedule(
    minutes: list[float], days: list[DayRule], graces: list[int]
) -> None:
    lanes = [
        Lane(rule=rule, minute=minute, grace=grace) for minute, rule, grace in zip(minutes, days, graces, strict=False)
    ]
    before = Schedule(lanes=tuple(lanes), confidence=0.9)

    after, problems = attempted(typed_of(before, near=NEAR))

    # Beside a monthly lane that stays there, a weekly one from before midnight may get a day ahead.
    assert bool(problems) <= (minutes[0] < 0 and len(minutes) > 1)
    assert after is None or _moments(after) == _moments(before)


def test_each_lane_keeps_its_grace() -> None:
    lanes = [Lane(rule=LastDay(), minute=60.0 * hour, grace=30 + hour) for hour in (2, 9, 20)]

    found = read_schedule(typed_of(Schedule(lanes=tuple(lanes), confidence=0.9), near=NEAR))

    assert list(found.lanes) == lanes


def _moments(schedule: Schedule) -> list[int]:
    """Return the minutes at which runs are expected within some months, in order."""
    first = NEAR.toordinal()
    slots = [slot for day in range(first - 1, first + 140) for slot in schedule.slots_on(day, ZONE)]
    inside = sorted({round(slot.at // 60) for slot in slots})
    return [moment for moment in inside if (first + 3) * 1440 < moment + 719_163 * 1440 < (first + 130) * 1440]
