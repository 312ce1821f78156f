"""What nobody would report any more after a change of schedule, in words."""

import pytest

from shared.domain.falls_away import falls_away
from shared.domain.schedule import Cycle, DayRule, Lane, LastDay, MonthDay, Schedule

DAILY, WORKDAYS = Cycle(1, frozenset(range(7))), Cycle(1, frozenset(range(5)))


def on(*rules: DayRule, minute: float = 1320) -> Schedule:
    return Schedule(lanes=tuple(Lane(rule=rule, minute=minute, grace=60) for rule in rules), confidence=1.0)


def test_a_weekday_that_is_dropped_is_named() -> None:
    assert falls_away(on(Cycle(1, frozenset(range(4)))), on(WORKDAYS)) == (
        "Fewer runs are expected: 16 in four weeks instead of 20.",
        "A silent Friday will no longer be reported.",
    )


def test_several_are_listed() -> None:
    assert falls_away(on(WORKDAYS), on(DAILY))[1] == "A silent Saturday or Sunday will no longer be reported."


def test_a_day_that_moved_is_named_though_as_many_runs_are_expected() -> None:
    assert falls_away(on(Cycle(1, frozenset({2}))), on(Cycle(1, frozenset({1})))) == (
        "A silent Tuesday will no longer be reported.",
    )


def test_a_longer_cadence_says_how_many_runs() -> None:
    assert falls_away(on(Cycle(2, frozenset({2}))), on(Cycle(1, frozenset({2})))) == (
        "Fewer runs are expected: 2 in four weeks instead of 4.",
    )


@pytest.mark.parametrize("after", [None, Schedule(lanes=(), confidence=1.0)])
def test_without_a_schedule_nothing_is_expected(after: Schedule | None) -> None:
    assert falls_away(after, on(DAILY)) == ("No run is expected at any time any more.",)


def test_where_dates_decide_no_weekday_is_lost() -> None:
    assert falls_away(on(LastDay()), on(MonthDay(15))) == ()


def test_a_weekday_is_that_of_the_run_not_of_the_day_it_belongs_to() -> None:
    friday, monday = Cycle(1, frozenset({4})), Cycle(1, frozenset({0}))

    assert falls_away(on(monday), on(friday, minute=1470)) == ("A silent Saturday will no longer be reported.",)


@pytest.mark.parametrize("before", [None, on(WORKDAYS), on(MonthDay(3))])
def test_what_expects_more_loses_nothing(before: Schedule | None) -> None:
    assert falls_away(on(DAILY), before) == ()
