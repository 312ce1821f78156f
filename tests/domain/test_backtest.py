"""What a schedule would have raised on runs that were."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.backtest import BackTest, allowed_grace, backtest, backtest_silence, with_grace
from shared.domain.schedule import Cycle, Lane, Schedule

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST = datetime(2026, 1, 5, 22, 0, tzinfo=ZONE)  # a Monday
DAILY = Cycle(1, frozenset(range(7)))


def at(*minutes: float, rule: Cycle = DAILY, grace: int = 60) -> Schedule:
    lanes = tuple(Lane(rule=rule, minute=minute, grace=grace) for minute in minutes)
    return Schedule(lanes=lanes, confidence=1.0)


def nights(number: int, *, without: Sequence[int] = ()) -> list[float]:
    return [(FIRST + timedelta(days=day)).timestamp() for day in range(number) if day not in without]


def tried(schedule: Schedule, moments: Sequence[float], *, days: int, skipped: Sequence[int] = ()) -> BackTest:
    left_out = {FIRST.date().toordinal() + day for day in skipped}
    return backtest(
        schedule,
        moments,
        ZONE,
        start=(FIRST - timedelta(days=3)).timestamp(),
        until=(FIRST + timedelta(days=days, hours=-2)).timestamp(),
        is_skipped=lambda slot: slot.day in left_out,
    )


def night(day: int) -> datetime:
    return (FIRST + timedelta(days=day)).astimezone(UTC)


def test_a_night_without_a_run_is_missed() -> None:
    found = tried(at(1320), nights(30, without=(7, 20)), days=30)

    assert (found.missed, found.late, found.in_time) == ((night(7), night(20)), (), 28)


def test_a_run_after_the_grace_is_late_and_not_missed() -> None:
    moments = nights(10)
    moments[4] += 3 * 3600

    found = tried(at(1320), moments, days=10)

    assert (found.missed, found.late, found.in_time) == ((), (night(4),), 9)


def test_a_longer_grace_would_not_have_called_it_late() -> None:
    moments = nights(10)
    moments[4] += 3 * 3600

    assert tried(with_grace(at(1320), 240), moments, days=10).late == ()


def test_before_the_first_run_nothing_is_missed() -> None:
    assert tried(at(1320), nights(10, without=(0, 1, 2)), days=10).missed == ()


def test_a_slot_whose_grace_still_runs_counts_for_nothing_yet() -> None:
    found = backtest(
        at(1320), nights(3), ZONE, start=FIRST.timestamp(), until=(FIRST + timedelta(days=3, minutes=30)).timestamp()
    )

    assert (found.missed, found.in_time) == ((), 3)


def test_skipped_days_are_counted_apart() -> None:
    found = tried(at(1320), nights(10, without=(4, 5)), days=10, skipped=(4,))

    assert (found.missed, found.skipped, found.in_time) == ((night(5),), 1, 8)


def test_a_retry_takes_no_slot_of_its_own() -> None:
    moments = sorted([*nights(10, without=(5,)), nights(5)[4] + 1800])

    assert tried(at(1320), moments, days=10).missed == (night(5),)


def test_a_run_from_before_the_window_answers_no_slot_in_it() -> None:
    """The slot of the evening before has it."""
    moments = nights(10, without=(5,))
    start = FIRST + timedelta(days=4, hours=12)

    found = backtest(
        at(1320), moments, ZONE, start=start.timestamp(), until=(FIRST + timedelta(days=8, hours=3)).timestamp()
    )

    assert (found.missed, found.in_time) == ((night(5),), 3)


def test_without_runs_or_times_nothing_is_raised() -> None:
    nothing = Schedule(lanes=(), confidence=1.0)

    assert tried(at(1320), [], days=9) == tried(nothing, nights(9), days=9) == BackTest()


def test_when_runs_usually_come_leaves_out_the_few_that_differ() -> None:
    moments = [moment + 60 * (day % 10) for day, moment in enumerate(nights(40))]
    moments[20] += 2000

    early, late = tried(at(1320), moments, days=40).usual_arrival or (0.0, 0.0)

    assert (early, round(late)) == (0.0, 9)


def test_few_runs_do_not_show_when_they_usually_come() -> None:
    assert tried(at(1320), nights(4), days=4).usual_arrival is None


@given(without=st.sets(st.integers(1, 28)))
def test_every_silent_night_is_missed_and_no_other(without: set[int]) -> None:
    found = tried(at(1320), nights(30, without=sorted(without)), days=30)

    assert found.missed == tuple(night(day) for day in sorted(without))


@pytest.mark.parametrize("month", [3, 10])
def test_the_clock_change_is_nobodys_missed_run(month: int) -> None:
    days = [datetime(2026, month, day, 2, 30, tzinfo=ZONE).timestamp() for day in range(1, 32)]

    found = backtest(at(150), days, ZONE, start=days[0], until=days[-1] + 7200)

    assert (found.missed, found.late) == ((), ())


def test_a_silence_that_is_too_long_is_missed_until_a_run_ends_it() -> None:
    moments = nights(20, without=range(5, 12))
    until = (FIRST + timedelta(days=25)).timestamp()

    found = backtest_silence(moments, timedelta(days=3), start=FIRST.timestamp(), until=until)

    assert (found.late, found.missed) == ((night(7),), (night(22),))


@pytest.mark.parametrize("asked, applied", [(30, 30), (90, 90), (300, 180), (720, 180)])
def test_grace_is_at_most_half_the_way_to_the_next_slot(asked: int, applied: int) -> None:
    schedule = at(6 * 60, 12 * 60, 20 * 60)

    assert allowed_grace(schedule, asked) == applied
    assert with_grace(schedule, asked).grace == applied
