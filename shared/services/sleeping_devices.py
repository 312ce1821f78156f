"""What is known of devices that sleep: since when each waits for a good backup, and the overdue run that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from shared.domain.run import RunSource
from shared.domain.status import RESTORABLE
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule
from shared.services.watched_jobs import ARRIVED, is_watched


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A job of a device that sleeps, or slept until somebody said otherwise, with its overdue run that waits.

    It waits `since` its last good backup, or since its first report where none was ever good. `reviewed_at` is when
    somebody last reviewed an overdue run of this wait.
    """

    job_id: int
    sleeps: bool
    since: datetime
    was_ever_good: bool
    reviewed_at: datetime | None
    run_id: int | None
    passed_at: datetime | None
    days: int | None


def sleeping_jobs(db: Session, job_ids: Sequence[int]) -> list[int]:
    """Return those of the jobs that are devices that sleep, or have an overdue run that waits."""
    asked = (JobSchedule.job_id.in_(job_ids), or_(JobSchedule.sleeps, JobSchedule.job_id.in_(_WAITING_JOBS)))
    return list(db.scalars(select(JobSchedule.job_id).where(*asked).order_by(JobSchedule.job_id)))


def sleeping_devices(db: Session, job_ids: Sequence[int]) -> list[Device]:
    """Return what is known of those of the jobs that are watched and have run."""
    return [Device(**row._asdict()) for row in db.execute(_OF_JOBS, {"job_ids": list(job_ids)})]


def select_devices(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the query of each `Device` that fits, from `Job` and `Customer`."""
    asked = select(JobSchedule.job_id, JobSchedule.sleeps).where(
        or_(JobSchedule.sleeps, JobSchedule.job_id.in_(_WAITING_JOBS)), *conditions
    )
    # Few jobs sleep: the runs of all others are not to be looked at.
    few = asked.cte("asleep").prefix_with("MATERIALIZED")
    waiting, reviewed = aliased(JobRun), aliased(JobRun)
    since = _since(few)
    reviewed_at = select(func.max(reviewed.reviewed_at)).where(
        reviewed.job_id == few.c.job_id, reviewed.source == RunSource.OVERDUE, reviewed.run_at > since.c.since
    )
    is_waiting = and_(
        waiting.job_id == few.c.job_id, waiting.source == RunSource.OVERDUE, waiting.reviewed_at.is_(None)
    )
    return (
        select(
            few.c.job_id,
            few.c.sleeps,
            since.c.since,
            since.c.was_ever_good,
            reviewed_at.scalar_subquery().label("reviewed_at"),
            waiting.id.label("run_id"),
            waiting.run_at.label("passed_at"),
            waiting.overdue_days.label("days"),
        )
        .select_from(few)
        .join(Job, Job.id == few.c.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(waiting, is_waiting)
        .join(since, true())
        .where(*is_watched(), since.c.since.is_not(None))
    )


def _since(few: CTE) -> LateralFromClause:
    of_job = JobRun.job_id == few.c.job_id
    is_good = (JobRun.raw_status.in_(RESTORABLE), JobRun.attempt_of_id.is_(None))
    good = select(func.max(JobRun.run_at)).where(of_job, *is_good).correlate(few)
    first = select(func.min(JobRun.run_at)).where(of_job, JobRun.source.in_(ARRIVED)).correlate(few)
    last_good = good.scalar_subquery()
    wait = select(
        func.coalesce(last_good, first.scalar_subquery()).label("since"), last_good.is_not(None).label("was_ever_good")
    )
    return wait.offset(0).lateral("wait")  # looked up once a job, not wherever it is used


_WAITING_JOBS = select(JobRun.job_id).where(JobRun.source == RunSource.OVERDUE, JobRun.reviewed_at.is_(None))
_OF_JOBS = select_devices(JobSchedule.job_id.in_(bindparam("job_ids", expanding=True)))
