"""What a day of a job comes to: the worst of what its slots and runs became. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.overrides import NEVER_CAME
from shared.domain.slot_state import SlotState
from shared.domain.status import Status


class StripState(StrEnum):
    """What became of a slot, of a run outside any slot, or of a whole day.

    From what says least to the worst. What is still expected stands above success: a day is green only when all came.
    """

    NOTHING = "nothing"  # no slot and no run
    SKIPPED = "skipped"  # closed or paused
    INFORMATIONAL = "informational"
    SUCCESS = "success"
    OVERRIDE = "override"  # something was wrong that is known, and counts as success
    EXPECTED = "expected"
    WARNING = "warning"
    NOT_JUDGED = "not_judged"
    UNREADABLE = "unreadable"
    OVERDUE = "overdue"
    MISSED = "missed"
    FAILED = "failed"


_RANK = {state: rank for rank, state in enumerate(StripState)}
_WITHOUT_RUN = {
    SlotState.EXPECTED: StripState.EXPECTED,
    SlotState.NOT_JUDGED: StripState.NOT_JUDGED,
    SlotState.SKIPPED: StripState.SKIPPED,
    SlotState.MISSED: StripState.MISSED,
    # Its run is gone, and nobody knows any more how it ended.
    SlotState.ARRIVED: StripState.NOT_JUDGED,
    SlotState.LATE: StripState.NOT_JUDGED,
}


def state_of_run(status: Status, *, is_overridden: bool = False) -> StripState:
    """Return what a run counts as; nothing makes up for one that never came."""
    return StripState.OVERRIDE if is_overridden and status not in NEVER_CAME else StripState(status.value)


def state_of_slot(state: SlotState, verdict: Status | None) -> StripState:
    """Return what became of a slot whose run, if there is one, has this verdict."""
    return _WITHOUT_RUN[state] if verdict is None else state_of_run(verdict)


def worst_state(states: Iterable[StripState]) -> StripState:
    return max(states, key=_RANK.__getitem__, default=StripState.NOTHING)
