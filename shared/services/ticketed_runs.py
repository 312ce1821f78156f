"""The runs that a ticket or a remark is to be about, checked and locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.tickets import TicketRun, TicketScope
from shared.services.errors import BadInput, NotFound
from shared.services.record_run import lock_jobs

GOOD = frozenset({Status.SUCCESS, Status.INFORMATIONAL})


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenRuns:
    """Runs of one customer. `run_ids` are those to be linked: what is not good, or all where nothing is bad."""

    customer_id: int
    job_ids: tuple[int, ...]
    run_ids: tuple[int, ...]
    first_at: datetime


def choose_runs(db: Session, run_ids: Sequence[int]) -> ChosenRuns:
    """Lock the jobs of these runs and return what is chosen. Raise BadInput for two customers, NotFound."""
    wanted = sorted(set(run_ids))
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
    customers = {row.customer_id for row in rows}
    if len(customers) > 1:
        raise BadInput("These runs are of several customers: a ticket is about one customer only.")
    bad = [row for row in rows if row.status not in GOOD and row.override_id is None]
    chosen = bad or rows
    return ChosenRuns(
        customer_id=customers.pop(),
        job_ids=tuple(sorted({row.job_id for row in chosen})),
        run_ids=tuple(row.id for row in chosen),
        first_at=chosen[0].run_at,
    )


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
    db.execute(insert(TicketRun).on_conflict_do_nothing(), links)
