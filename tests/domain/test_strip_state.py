"""What a day comes to is the worst of what it held."""

import pytest

from shared.domain.slot_state import OPEN, SlotState
from shared.domain.status import Status
from shared.domain.strip_state import StripState, state_of_run, state_of_slot, worst_state


def test_a_day_without_anything_is_nothing() -> None:
    assert worst_state([]) is StripState.NOTHING


def test_a_day_is_not_green_while_something_is_still_expected() -> None:
    assert worst_state([StripState.SUCCESS, StripState.EXPECTED]) is StripState.EXPECTED


@pytest.mark.parametrize("hidden", [StripState.MISSED, StripState.FAILED, StripState.UNREADABLE, StripState.NOT_JUDGED])
def test_one_bad_run_among_good_ones_is_what_shows(hidden: StripState) -> None:
    assert worst_state([StripState.SUCCESS] * 23 + [hidden] + [StripState.SKIPPED]) is hidden


def test_a_slot_has_the_verdict_of_its_run() -> None:
    assert state_of_slot(SlotState.LATE, Status.FAILED) is StripState.FAILED


@pytest.mark.parametrize("state", SlotState)
def test_a_slot_whose_run_is_unknown_is_never_good(state: SlotState) -> None:
    shown = state_of_slot(state, None)

    assert shown not in {StripState.SUCCESS, StripState.INFORMATIONAL, StripState.WARNING}
    assert (shown is StripState.EXPECTED) <= (state in OPEN)


def test_a_day_is_blue_where_a_known_problem_counts_as_success_but_not_where_nothing_came() -> None:
    states = {status: state_of_run(status, is_overridden=True) for status in (Status.FAILED, Status.MISSED)}

    assert states == {Status.FAILED: StripState.OVERRIDE, Status.MISSED: StripState.MISSED}
    assert worst_state([StripState.SUCCESS, StripState.OVERRIDE]) is StripState.OVERRIDE
