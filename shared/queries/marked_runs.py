"""Runs that are about to be marked as success: of which jobs, and how bad they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.troubled_runs import is_troubled


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedJob:
    """A job with how many of the runs are its own, and not good; `run_id` is the newest of them."""

    job_id: int
    customer: str
    job_name: str
    runs: int
    failed: int
    run_id: int


def marked_jobs(db: Session, run_ids: Sequence[int]) -> tuple[MarkedJob, ...]:
    """Return the jobs of those of the runs that nothing lets count as success yet."""
    rows = db.execute(
        select(
            Job.id.label("job_id"),
            Customer.name.label("customer"),
            Job.job_name,
            func.count().label("runs"),
            func.count().filter(JobRun.status == Status.FAILED).label("failed"),
            func.max(JobRun.id).label("run_id"),
        )
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobRun.id.in_(run_ids), is_troubled(), JobRun.override_id.is_(None))
        .group_by(Job.id, Customer.id)
        .order_by(func.lower(Customer.name), func.lower(Job.job_name), Job.id)
    )
    return tuple(MarkedJob(**row._asdict()) for row in rows)
