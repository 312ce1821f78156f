"""What became of a slot, and how a job comes by its schedule."""

from enum import StrEnum


class SlotState(StrEnum):
    """What became of a moment at which a run was expected."""

    EXPECTED = "expected"  # its time has not come, or its grace runs
    ARRIVED = "arrived"
    LATE = "late"  # arrived after its grace
    MISSED = "missed"
    NOT_JUDGED = "not_judged"  # its grace is over, but nobody can tell yet whether something came
    SKIPPED = "skipped"  # closed or paused: nothing was to be expected


OPEN = frozenset({SlotState.EXPECTED, SlotState.NOT_JUDGED})
WITH_RUN = frozenset({SlotState.ARRIVED, SlotState.LATE})


class ScheduleMode(StrEnum):
    """Who says when a job runs."""

    LEARNED = "learned"
    PINNED = "pinned"  # a person wrote it down; nothing learned replaces it
    REJECTED = "rejected"  # a person found that there is none: the maximum silence watches
