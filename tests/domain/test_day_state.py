"""What a day comes to is the worst of what it held."""

import pytest

from shared.domain.day_state import DayState, state_of_run, state_of_slot, worst_state
from shared.domain.slot_state import OPEN, SlotState
from shared.domain.status import Status


def test_a_day_without_anything_is_nothing() -> None:
    assert worst_state([]) is DayState.NOTHING


def test_a_day_is_not_green_while_something_is_still_expected() -> None:
    assert worst_state([DayState.SUCCESS, DayState.EXPECTED]) is DayState.EXPECTED


@pytest.mark.parametrize("hidden", [DayState.MISSED, DayState.FAILED, DayState.UNREADABLE, DayState.NOT_JUDGED])
def test_one_bad_run_among_good_ones_is_what_shows(hidden: DayState) -> None:
    assert worst_state([DayState.SUCCESS] * 23 + [hidden] + [DayState.SKIPPED]) is hidden


def test_a_slot_has_the_verdict_of_its_run() -> None:
    assert state_of_slot(SlotState.LATE, Status.FAILED) is DayState.FAILED


@pytest.mark.parametrize("state", SlotState)
def test_a_slot_whose_run_is_unknown_is_never_good(state: SlotState) -> None:
    shown = state_of_slot(state, None)

    assert shown not in {DayState.SUCCESS, DayState.INFORMATIONAL, DayState.WARNING}
    assert (shown is DayState.EXPECTED) <= (state in OPEN)


def test_a_day_is_blue_where_a_known_problem_counts_as_success_but_not_where_nothing_came() -> None:
    states = {status: state_of_run(status, is_overridden=True) for status in (Status.FAILED, Status.MISSED)}

    assert states == {Status.FAILED: DayState.OVERRIDE, Status.MISSED: DayState.MISSED}
    assert worst_state([DayState.SUCCESS, DayState.OVERRIDE]) is DayState.OVERRIDE
