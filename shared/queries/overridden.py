"""How lists show and rank a run that counts as success by an override: as that, never as a plain success."""

from sqlalchemy import ColumnElement, String, case, cast

from shared.domain.status import Status, badness
from shared.models.jobs import JobRun
from shared.queries.rows import badness_of

OVERRIDE = "override"


def is_overridden() -> ColumnElement[bool]:
    return JobRun.override_id.is_not(None)


def badge() -> ColumnElement[str]:
    """Return the word of a run's badge: its verdict, or that it is overridden."""
    return case((is_overridden(), OVERRIDE), else_=cast(JobRun.status, String))


def rank() -> ColumnElement[int]:
    """Return how bad a run counts as."""
    return case((is_overridden(), badness(Status.SUCCESS)), else_=badness_of(JobRun.status))


def counts_as(status: Status) -> ColumnElement[bool]:
    """Whether a run is to be found under this verdict."""
    if status is Status.SUCCESS:
        return is_overridden() | (JobRun.status == status)
    return ~is_overridden() & (JobRun.status == status)


def status_of(badge: str) -> Status:
    """Return what a badge counts as."""
    return Status.SUCCESS if badge == OVERRIDE else Status(badge)


def worst_first(badge: str) -> tuple[int, bool]:
    """Return a key that sorts badges, the worst first; a success by override stands before a plain one."""
    return -badness(status_of(badge)), badge != OVERRIDE
