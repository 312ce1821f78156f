"""Takes back a ticket that the ticketing system never made."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services.audit import Actor, record_act


def remove_unmade(db: Session, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Remove a locked ticket with its scopes, links and errands; the audit log keeps what it was to be."""
    facts = {
        "title": ticket.title,
        "description": ticket.description,
        "jobs": list(db.scalars(select(TicketScope.job_id).where(TicketScope.ticket_id == ticket.id))),
        "runs": list(db.scalars(select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket.id))),
    }
    record_act(db, actor, "ticket.removed", subject_type="ticket", subject_id=ticket.id, before=facts, now=now)
    db.delete(ticket)
