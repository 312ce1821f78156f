"""The verdicts a run can carry, and which of two is worse."""

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """A verdict. Parsers give the first four; the others come from what did *not* arrive or could not be read."""

    SUCCESS = "success"
    INFORMATIONAL = "informational"
    WARNING = "warning"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    MISSED = "missed"
    OVERDUE = "overdue"


READABLE = frozenset({Status.SUCCESS, Status.INFORMATIONAL, Status.WARNING, Status.FAILED})
NOTHING_WRONG = frozenset({Status.SUCCESS, Status.INFORMATIONAL})
RESTORABLE = frozenset({Status.SUCCESS, Status.WARNING})
NEEDS_REASON = frozenset({Status.FAILED, Status.MISSED, Status.OVERDUE, Status.UNREADABLE})  # to be reviewed

# Best first. Unreadable stands above warning: nobody knows what it hides.
_BADNESS = {
    Status.INFORMATIONAL: 0,
    Status.SUCCESS: 1,
    Status.WARNING: 2,
    Status.UNREADABLE: 3,
    Status.OVERDUE: 4,
    Status.MISSED: 5,
    Status.FAILED: 6,
}


def badness(status: Status) -> int:
    """Rank a verdict; a higher number is worse and sorts first on Run Checks."""
    return _BADNESS[status]


def worst(statuses: Iterable[Status], default: Status = Status.INFORMATIONAL) -> Status:
    """Return the worst of `statuses`, or `default` when there are none."""
    return max(statuses, key=badness, default=default)
