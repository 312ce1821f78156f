"""What came of a slot, of a run outside any slot, or of a whole day: the worst of what it held. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.overrides import NEVER_CAME
from shared.domain.slot_state import SlotState
from shared.domain.status import Status


class DayState(StrEnum):
    """The verdict of a run, or why there is none. The worst stands first.

    What is still expected stands before success: a day is green only when all came.
    """

    FAILED = "failed"
    MISSED = "missed"
    OVERDUE = "overdue"
    UNREADABLE = "unreadable"
    NOT_JUDGED = "not_judged"
    WARNING = "warning"
    EXPECTED = "expected"
    OVERRIDE = "override"  # something was wrong that is known, and counts as success
    SUCCESS = "success"
    INFORMATIONAL = "informational"
    SKIPPED = "skipped"  # closed or paused
    NOTHING = "nothing"  # no slot and no run


SEVERITY = {state: number for number, state in enumerate(DayState)}  # the least is the worst
OF_SLOTS = tuple(state for state in DayState if state not in (DayState.OVERDUE, DayState.NOTHING))
CAME = frozenset(
    {
        DayState.FAILED,
        DayState.UNREADABLE,
        DayState.WARNING,
        DayState.OVERRIDE,
        DayState.SUCCESS,
        DayState.INFORMATIONAL,
    }
)
_WITHOUT_RUN = {
    SlotState.EXPECTED: DayState.EXPECTED,
    SlotState.NOT_JUDGED: DayState.NOT_JUDGED,
    SlotState.SKIPPED: DayState.SKIPPED,
    SlotState.MISSED: DayState.MISSED,
    # Its run is gone, and nobody knows any more how it ended.
    SlotState.ARRIVED: DayState.NOT_JUDGED,
    SlotState.LATE: DayState.NOT_JUDGED,
}


def state_of_run(status: Status, *, is_overridden: bool = False) -> DayState:
    """Return what a run counts as; nothing makes up for one that never came."""
    return DayState.OVERRIDE if is_overridden and status not in NEVER_CAME else DayState(status.value)


def state_of_slot(state: SlotState, verdict: Status | None) -> DayState:
    """Return what became of a slot whose run, if there is one, has this verdict."""
    return _WITHOUT_RUN[state] if verdict is None else state_of_run(verdict)


def worst_state(states: Iterable[DayState]) -> DayState:
    return min(states, key=SEVERITY.__getitem__, default=DayState.NOTHING)
