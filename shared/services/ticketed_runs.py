"""The runs that a ticket or a remark is to be about, checked and locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.status import NOTHING_WRONG
from shared.models.jobs import Job, JobRun, waits_for_review
from shared.models.tickets import TicketRun, TicketScope
from shared.services.errors import BadInput, NotFound
from shared.services.record_run import lock_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenRuns:
    """Jobs and runs of one customer. `run_ids` are to be linked: what is not good, or all where nothing is bad."""

    customer_id: int
    job_ids: tuple[int, ...]
    run_ids: tuple[int, ...]
    first_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeJobs:
    """Jobs chosen without any of their runs, and when."""

    job_ids: tuple[int, ...]
    at: datetime


def choose_runs(db: Session, what: Sequence[int] | WholeJobs) -> ChosenRuns:
    """Lock the jobs of these runs and return what is chosen. Raise BadInput for two customers, NotFound."""
    if isinstance(what, WholeJobs):
        return _choose_jobs(db, what)
    wanted = sorted(set(what))
    if not wanted:
        raise BadInput("Select at least one run first.")
    heads = select(func.coalesce(JobRun.attempt_of_id, JobRun.id)).where(JobRun.id.in_(wanted))
    lock_jobs(db, db.scalars(select(JobRun.job_id).where(JobRun.id.in_(heads)).distinct()).all())
    rows = db.execute(
        select(JobRun.id, JobRun.job_id, JobRun.run_at, JobRun.status, JobRun.override_id, Job.customer_id)
        .join(Job, Job.id == JobRun.job_id)
        .where(JobRun.id.in_(heads))
        .order_by(JobRun.run_at, JobRun.id)
    ).all()
    if not rows:
        raise NotFound("These runs don't exist (any more).")
    customer_id = _the_one({row.customer_id for row in rows})
    bad = [row for row in rows if row.status not in NOTHING_WRONG and row.override_id is None]
    chosen = bad or rows
    return ChosenRuns(
        customer_id=customer_id,
        job_ids=tuple(sorted({row.job_id for row in chosen})),
        run_ids=tuple(row.id for row in chosen),
        first_at=chosen[0].run_at,
    )


def _choose_jobs(db: Session, what: WholeJobs) -> ChosenRuns:
    """Return the jobs with those of their runs that wait and are not good, if any."""
    wanted = sorted(set(what.job_ids))
    if not wanted:
        raise BadInput("Choose at least one job.", field="job")
    lock_jobs(db, wanted)
    customers = set(db.scalars(select(Job.customer_id).where(Job.id.in_(wanted))))
    if not customers:
        raise NotFound("These jobs don't exist (any more).")
    bad = (JobRun.status.not_in(NOTHING_WRONG), JobRun.override_id.is_(None))
    waiting = select(JobRun.id, JobRun.run_at).where(JobRun.job_id.in_(wanted), waits_for_review(), *bad)
    runs = db.execute(waiting.order_by(JobRun.run_at, JobRun.id)).all()
    return ChosenRuns(
        customer_id=_the_one(customers),
        job_ids=tuple(db.scalars(select(Job.id).where(Job.id.in_(wanted)).order_by(Job.id))),
        run_ids=tuple(run.id for run in runs),
        first_at=runs[0].run_at if runs else what.at,
    )


def _the_one(customers: set[int]) -> int:
    if len(customers) > 1:
        raise BadInput("These are of several customers: a ticket or a remark is about one customer only.")
    return next(iter(customers))


def cover(db: Session, ticket_id: int, chosen: ChosenRuns) -> None:
    """Scope a ticket to the jobs of the runs, and link it to the runs. Harmless to repeat."""
    scopes = [
        {"ticket_id": ticket_id, "job_id": job_id, "customer_id": chosen.customer_id} for job_id in chosen.job_ids
    ]
    add = insert(TicketScope)
    again = {"customer_id": add.excluded.customer_id, "resolved_at": None}
    db.execute(
        add.on_conflict_do_update(index_elements=[TicketScope.ticket_id, TicketScope.job_id], set_=again), scopes
    )
    links = [{"ticket_id": ticket_id, "job_run_id": run_id} for run_id in chosen.run_ids]
    if links:
        db.execute(insert(TicketRun).on_conflict_do_nothing(), links)
