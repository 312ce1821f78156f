"""The jobs that are expected to run, with what says when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.domain.run import RunSource
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule
from shared.models.system import SystemSettings

ARRIVED = (RunSource.MAIL, RunSource.PUSHED)  # what a job itself reported


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedJob:
    """A job with its schedule; days are those of `zone`. Nothing is expected of it before `live_from`."""

    job_id: int
    customer_id: int
    zone: ZoneInfo
    live_from: date | None
    known: JobSchedule
    last_run_at: datetime | None

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


def is_watched() -> list[ColumnElement[bool]]:
    """Which jobs of customers are expected to run at all."""
    return [Job.kind == Kind.REGULAR, Job.archived_at.is_(None), Customer.active.is_(True)]


def watched_jobs(db: Session, job_ids: Sequence[int]) -> list[WatchedJob]:
    """Return those of the jobs that are watched and have been learned, in the order of their ids."""
    rules = db.get_one(SystemSettings, 1)
    last_run_at = (
        select(func.max(JobRun.run_at)).where(JobRun.job_id == Job.id, JobRun.source.in_(ARRIVED)).scalar_subquery()
    )
    query = (
        select(Job.id, Job.customer_id, Customer.time_zone, Customer.go_live_on, JobSchedule, last_run_at)
        .join(Customer, Customer.id == Job.customer_id)
        .join(JobSchedule, JobSchedule.job_id == Job.id)
        .where(Job.id.in_(job_ids), *is_watched())
        .order_by(Job.id)
        .execution_options(populate_existing=True)
    )
    return [
        WatchedJob(
            job_id=job_id,
            customer_id=customer_id,
            zone=ZoneInfo(zone or rules.ui_time_zone),
            live_from=live_from or rules.go_live_on,
            known=known,
            last_run_at=last_run,
        )
        for job_id, customer_id, zone, live_from, known, last_run in db.execute(query)
    ]
