"""What came of the moments at which a day's runs were expected."""

from enum import StrEnum


class DayState(StrEnum):
    """The verdict of a slot's run, or why it has none. The worst stands first."""

    FAILED = "failed"
    MISSED = "missed"
    UNREADABLE = "unreadable"
    NOT_JUDGED = "not_judged"
    WARNING = "warning"
    EXPECTED = "expected"
    OVERRIDE = "override"  # something was wrong that is known, and counts as success
    SUCCESS = "success"
    INFORMATIONAL = "informational"
    SKIPPED = "skipped"


BAD = frozenset({DayState.FAILED, DayState.MISSED, DayState.UNREADABLE})
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
SEVERITY = {state: number for number, state in enumerate(DayState)}  # the least is the worst
