"""Watches devices that sleep: no slots, but one run once they have been without a good backup for too long."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Session


def keep_overdue(db: Session, job_ids: Sequence[int], *, now: datetime) -> int:  # noqa: ARG001 -- filled in next
    """Raise, escalate and take away the overdue runs of these jobs; return how many changed. Harmless to repeat."""
    return 0


def due_overdue(now: datetime) -> ColumnElement[bool]:  # noqa: ARG001 -- filled in next
    """Whether a `Job` has an overdue run to be raised, escalated or taken away."""
    return false()
