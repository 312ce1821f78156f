"""Lets runs carry the ticket of the ticketing system that they are linked to."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from shared.domain.ticketing import RemoteTicket
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services.audit import SYSTEM, record_act
from shared.services.record_run import lock_jobs


def lock_ticket(db: Session, ticket_id: int) -> Ticket | None:
    """Lock the ticket's jobs and then itself, so that no run of them comes in meanwhile; None when it is gone."""
    return lock_tickets(db, [ticket_id]).get(ticket_id)


def lock_tickets(db: Session, ticket_ids: Collection[int]) -> dict[int, Ticket]:
    """Lock the jobs of several tickets and then these, in everybody's order; return by id those that are there."""
    lock_jobs(db, db.scalars(select(TicketScope.job_id).where(TicketScope.ticket_id.in_(ticket_ids))).all())
    locked = select(Ticket).where(Ticket.id.in_(ticket_ids)).order_by(Ticket.id).with_for_update()
    return {ticket.id: ticket for ticket in db.scalars(locked.execution_options(populate_existing=True))}


def note_made(db: Session, ticket: Ticket, made: RemoteTicket, *, now: datetime) -> int:
    """Write down what the ticketing system made of a locked ticket; return how many runs carry it."""
    ticket.remote_id, ticket.remote_status_id, ticket.remote_seen_at = made.id, made.status_id, now
    ticket.remote_company_id = made.company_id or None
    number_ticket(db, ticket, made.number)
    carried = carry_ticket(db, ticket)
    facts = {"code": ticket.ticket_code, "remote_id": made.id, "runs": carried}
    record_act(db, SYSTEM, "ticket.numbered", subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
    return carried


def carry_ticket(db: Session, ticket: Ticket, run_ids: Sequence[int] | None = None) -> int:
    """Let these runs, or all that it is linked to, carry a locked ticket; return how many do."""
    if ticket.remote_id is None:
        return 0
    linked = select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket.id)
    which: ColumnElement[bool] = JobRun.id.in_(linked if run_ids is None else run_ids)
    values = {
        "autotask_ticket_id": ticket.remote_id,
        "autotask_ticket_number": ticket.ticket_code or "",
        "autotask_ticket_created_at": ticket.start_date,
        "autotask_ticket_created_by_user_id": ticket.created_by,
        "autotask_ticket_deleted_at": ticket.deleted_at,
    }
    carried = update(JobRun).where(which).values(values).execution_options(synchronize_session=False)
    return len(db.scalars(carried.returning(JobRun.id)).all())


def number_ticket(db: Session, ticket: Ticket, number: str) -> None:
    """Give a locked ticket its number over there; a ticket that somebody typed by hand may have the same code."""
    if ticket.ticket_code is not None or not number.strip():
        return
    code = number.strip()
    taken = select(Ticket.id).where(func.lower(Ticket.ticket_code) == code.lower())
    ticket.ticket_code = code if db.scalar(taken) is None else f"{code} ({ticket.remote_id})"
    db.execute(
        update(JobRun)
        .where(JobRun.autotask_ticket_id == ticket.remote_id)
        .values(autotask_ticket_number=ticket.ticket_code)
        .execution_options(synchronize_session=False)
    )
