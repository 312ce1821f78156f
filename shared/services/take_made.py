"""Takes over the ticket that an errand made, whoever finds it first: the worker, or a person who knows its number.

One ticket over there is one ticket here. Where its key was not to be seen when a person linked it, it was taken for
somebody's own; then there are two here, and they become one as soon as that shows.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.domain.ticketing import RemoteTicket, TicketDraft
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services.audit import SYSTEM, record_act
from shared.services.carry_ticket import carry_ticket, lock_ticket, note_made
from shared.services.incidents import begin_incident
from shared.services.remove_unmade import remove_unmade


def take_found(db: Session, found: RemoteTicket, *, now: datetime) -> int | None:
    """Return the ticket that we have under the key of what was found, now that it is known to be made.

    Another one that was made under the same key is none of ours yet.
    """
    by_key = select(Errand).where(Errand.key == found.key, Errand.kind == ErrandKind.CREATE)
    errand = db.scalar(by_key) if found.key else None
    ticket = None if errand is None else lock_ticket(db, errand.ticket_id)
    if errand is None or ticket is None:
        return None
    db.refresh(errand, with_for_update=True)
    if ticket.remote_id is None:
        errand.state, errand.done_at, errand.last_error = ErrandState.DONE, now, ""
        take_made(db, ticket, found, now=now)
    return ticket.id if ticket.remote_id == found.id else None


def take_made(
    db: Session, ticket: Ticket, made: RemoteTicket, *, draft: TicketDraft | None = None, now: datetime
) -> None:
    """Note on a locked ticket what was made of it. `draft` is what was sent, where that is known."""
    note_made(db, ticket, made, now=now)
    begin_incident(db, ticket, now=now)
    if draft is not None:
        ticket.title, ticket.description = draft.title, ticket.description or draft.description
    ticket.misses = 0


def twin_of(db: Session, ticket_id: int, made: RemoteTicket) -> int | None:
    """Return another ticket of ours that is the same one over there."""
    same = (Ticket.source == TicketSource.AUTOTASK, Ticket.remote_id == made.id, Ticket.id != ticket_id)
    return db.scalar(select(Ticket.id).where(*same))


def join_twin(db: Session, ticket: Ticket, twin: Ticket, *, now: datetime) -> None:
    """Move what a ticket is about to the other one that it is too, and remove it. Both are locked."""
    if twin.customer_id == ticket.customer_id:  # else somebody moved it there to another company
        _move(db, ticket, twin, now)
    remove_unmade(db, ticket, actor=SYSTEM, now=now)


def _move(db: Session, ticket: Ticket, twin: Ticket, now: datetime) -> None:
    jobs = select(TicketScope.job_id).where(TicketScope.ticket_id == twin.id)
    scopes = update(TicketScope).where(TicketScope.ticket_id == ticket.id, TicketScope.job_id.not_in(jobs))
    runs = select(TicketRun.job_run_id).where(TicketRun.ticket_id == twin.id)
    links = update(TicketRun).where(TicketRun.ticket_id == ticket.id, TicketRun.job_run_id.not_in(runs))
    words = update(Errand).where(Errand.ticket_id == ticket.id, Errand.kind != ErrandKind.CREATE)
    facts = {
        "ticket": ticket.id,
        "jobs": list(db.scalars(scopes.values(ticket_id=twin.id).returning(TicketScope.job_id))),
        "runs": list(db.scalars(links.values(ticket_id=twin.id).returning(TicketRun.job_run_id))),
    }
    db.execute(words.values(ticket_id=twin.id))
    carry_ticket(db, twin)
    record_act(db, SYSTEM, "ticket.joined", subject_type="ticket", subject_id=twin.id, after=facts, now=now)
