"""How often a schedule ticks at the least, held against a library that evaluates schedules."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.timer import BadSchedule, longest_gap

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule,expected",
    [
        ("0 */5 * * * *", timedelta(minutes=5)),
        ("*/5 * * * *", timedelta(minutes=5)),
        ("* * * * * *", timedelta(seconds=1)),
        ("0 0 */6 * * *", timedelta(hours=6)),
        ("0 0 3 * * *", timedelta(days=1)),
        ("0 30 9-17 * * *", timedelta(hours=16)),
        ("0 5/20 * * * ?", timedelta(minutes=20)),
        ("0 0 6 * * Mon-Fri", timedelta(days=7)),
        ("0 0 6 1 * *", timedelta(days=31)),
        ("0 0 6 1 Jan *", timedelta(days=366)),
    ],
)
def test_a_schedule_has_a_longest_gap(schedule: str, expected: timedelta) -> None:
    assert longest_gap(schedule) == expected


@pytest.mark.parametrize("schedule", ["", "0 * * *", "0 61 * * * *", "0 x * * * *", "0 5-1 * * * *", "0 */0 * * * *"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(BadSchedule):
        longest_gap(schedule)


def fields(end: int) -> st.SearchStrategy[str]:
    number = st.integers(0, end - 1)
    steps = st.integers(1, end - 1).map("*/{}".format)
    # The library takes a range of one for the whole.
    ranges = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted).map(lambda ends: f"{ends[0]}-{ends[1]}")
    lists = st.lists(number, min_size=1, max_size=4, unique=True).map(lambda numbers: ",".join(map(str, numbers)))
    return st.one_of(st.just("*"), steps, ranges, lists)


@settings(max_examples=30)
@given(st.builds("0 {} {} * * *".format, fields(60), fields(24)))
def test_no_two_ticks_are_further_apart_and_some_are_as_far(schedule: str) -> None:
    ticks = croniter(schedule, MONDAY - timedelta(seconds=1), second_at_beginning=True)
    moments = [ticks.get_next(datetime)]
    while moments[-1] <= moments[0] + timedelta(days=1):
        moments.append(ticks.get_next(datetime))

    gaps = [after - before for before, after in pairwise(moments)]
    assert max(gaps) == longest_gap(schedule)
