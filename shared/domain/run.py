"""What a run is, beside its verdict."""

from enum import StrEnum


class RunSource(StrEnum):
    """What made a run."""

    MAIL = "mail"
    PUSHED = "pushed"
    MISSED = "missed"
    OVERDUE = "overdue"


class MatchedBy(StrEnum):
    """How sure a mail's run is of its job."""

    ORIGIN = "origin"  # the stated origin is the job's
    NAME = "name"  # the mail states no origin that could be compared
    PERSON = "person"  # somebody said so in the inbox
