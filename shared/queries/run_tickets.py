"""The tickets that runs are linked to, for lists of runs. What is over stays there: it tells what was known then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun, TicketScope, ticket_over_at


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTicket:
    """A ticket as it stands for the run's job; `code` is missing while it is being made."""

    ticket_id: int
    code: str | None
    resolved_at: datetime | None
    deleted_at: datetime | None


def tickets_of_runs(db: Session, run_ids: Sequence[int]) -> dict[int, tuple[RunTicket, ...]]:
    """Return the tickets of those runs that have some, newest first, in one statement."""
    found = db.execute(
        select(TicketRun.job_run_id, Ticket.id, Ticket.ticket_code, ticket_over_at(), Ticket.deleted_at)
        .join(Ticket, Ticket.id == TicketRun.ticket_id)
        .join(JobRun, JobRun.id == TicketRun.job_run_id)
        .outerjoin(TicketScope, and_(TicketScope.ticket_id == Ticket.id, TicketScope.job_id == JobRun.job_id))
        .where(TicketRun.job_run_id.in_(run_ids))
        .order_by(Ticket.id.desc())
    )
    by_run: dict[int, list[RunTicket]] = {}
    for run_id, ticket_id, code, resolved_at, deleted_at in found:
        ticket = RunTicket(ticket_id=ticket_id, code=code, resolved_at=resolved_at, deleted_at=deleted_at)
        by_run.setdefault(run_id, []).append(ticket)
    return {run_id: tuple(tickets) for run_id, tickets in by_run.items()}
