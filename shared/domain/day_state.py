"""What a day of a job comes to: the worst of what its slots and runs became. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.slot_state import SlotState
from shared.domain.status import Status


class DayState(StrEnum):
    """What became of a slot, of a run outside any slot, or of a whole day.

    From what says least to the worst. What is still expected stands above success: a day is green only when all came.
    """

    NOTHING = "nothing"  # no slot and no run
    SKIPPED = "skipped"  # closed or paused
    INFORMATIONAL = "informational"
    SUCCESS = "success"
    EXPECTED = "expected"
    WARNING = "warning"
    NOT_JUDGED = "not_judged"
    UNREADABLE = "unreadable"
    OVERDUE = "overdue"
    MISSED = "missed"
    FAILED = "failed"


_RANK = {state: rank for rank, state in enumerate(DayState)}
_WITHOUT_RUN = {
    SlotState.EXPECTED: DayState.EXPECTED,
    SlotState.NOT_JUDGED: DayState.NOT_JUDGED,
    SlotState.SKIPPED: DayState.SKIPPED,
    SlotState.MISSED: DayState.MISSED,
    # Its run is gone, and nobody knows any more how it ended.
    SlotState.ARRIVED: DayState.NOT_JUDGED,
    SlotState.LATE: DayState.NOT_JUDGED,
}


def state_of_run(status: Status) -> DayState:
    return DayState(status.value)


def state_of_slot(state: SlotState, verdict: Status | None) -> DayState:
    """Return what became of a slot whose run, if there is one, has this verdict."""
    return _WITHOUT_RUN[state] if verdict is None else state_of_run(verdict)


def worst_state(states: Iterable[DayState]) -> DayState:
    return max(states, key=_RANK.__getitem__, default=DayState.NOTHING)
