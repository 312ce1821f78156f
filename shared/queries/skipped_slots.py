"""How many slots nobody judges, and why: part of what *honest green* has to say."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import JobSlot
from shared.queries.rows import watched_jobs

LATELY = timedelta(hours=24)


def skipped_lately(db: Session, *, now: datetime) -> dict[str, int]:
    """Return how many slots of the last 24 hours were skipped, by why: "closed", "paused", "before going live"."""
    days = JobSlot.day.between((now - 2 * LATELY).date(), (now + LATELY).date())  # finds them by the index
    return _counted(db, days, JobSlot.slot_at > now - LATELY, JobSlot.slot_at <= now)


def skipped_on(db: Session, day: date, *jobs: ColumnElement[bool]) -> dict[str, int]:
    """Return how many slots of a day were skipped, by why."""
    return _counted(db, JobSlot.day == day, *jobs)


def _counted(db: Session, *conditions: ColumnElement[bool]) -> dict[str, int]:
    why = func.split_part(JobSlot.why, ":", 1)
    query = (
        select(why, func.count())
        .select_from(JobSlot)
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobSlot.state == SlotState.SKIPPED, *watched_jobs(), *conditions)
        .group_by(why)
        .order_by(why)
    )
    return {row[0]: row[1] for row in db.execute(query)}
