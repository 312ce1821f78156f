"""Takes over a ticket that somebody made at the ticketing system himself, and links it to runs."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.domain.ticket import TicketSource
from shared.domain.ticketing import RemoteTicket, TicketState
from shared.models.customers import Customer
from shared.models.system import SystemSettings
from shared.models.tickets import Ticket
from shared.services.apply_remote import apply_seen
from shared.services.audit import Actor, record_act
from shared.services.carry_ticket import carry_ticket, number_ticket
from shared.services.errors import BadInput, Conflict
from shared.services.take_made import take_found
from shared.services.ticketed_runs import ChosenRuns, WholeJobs, choose_runs, cover
from shared.services.tickets import link_ticket


def adopt_ticket(
    db: Session, found: RemoteTicket, what: Sequence[int] | WholeJobs, *, actor: Actor, now: datetime
) -> int:
    """Link a ticket that was just seen at the ticketing system, and return its id here. What is known already is taken.

    Raise BadInput where it is another company's, and Conflict where it is over.
    """
    try:
        with db.begin_nested():
            return _adopt(db, found, what, actor=actor, now=now)
    except IntegrityError:  # somebody took it over a moment ago, or typed its number: now that is to be seen
        return _adopt(db, found, what, actor=actor, now=now)


def _adopt(
    db: Session, found: RemoteTicket, what: Sequence[int] | WholeJobs, *, actor: Actor, now: datetime
) -> int:  # fmt: skip
    known = db.scalar(select(Ticket.id).where(Ticket.source == TicketSource.AUTOTASK, Ticket.remote_id == found.id))
    if known is not None:
        choose_runs(db, what)  # which locks their jobs, before any ticket
        apply_seen(db, [found], looked_at=now, now=now)
        if db.get_one(Ticket, known).remote_mismatch is not None:
            raise Conflict(f"At Autotask {found.number} is not what it was when it was made or linked here.")
        is_open_there = found.state is TicketState.OPEN
        link_ticket(db, known, what, actor=actor, now=now, is_open_there=is_open_there)
        return known
    if found.state is TicketState.RESOLVED:
        raise Conflict(f"{found.number} is closed at Autotask: reopen it there, or make another one.")
    chosen = choose_runs(db, what)
    being_made = take_found(db, found, now=now)
    if being_made is not None:
        link_ticket(db, being_made, what, actor=actor, now=now)
        return being_made
    customer = db.get_one(Customer, chosen.customer_id)
    if customer.autotask_company_id != found.company_id:
        raise BadInput(f"{found.number} is not a ticket of {customer.name} at Autotask.", field="ticket")
    ticket = _new(db, found, chosen, actor=actor, now=now)
    db.add(ticket)
    db.flush()  # its scopes need its id
    cover(db, ticket.id, chosen)
    number_ticket(db, ticket, found.number)
    carry_ticket(db, ticket, chosen.run_ids)
    facts = {"code": ticket.ticket_code, "jobs": list(chosen.job_ids), "runs": list(chosen.run_ids)}
    record_act(db, actor, "ticket.adopted", subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
    return ticket.id


def _new(db: Session, found: RemoteTicket, chosen: ChosenRuns, *, actor: Actor, now: datetime) -> Ticket:
    zone = ZoneInfo(db.get_one(SystemSettings, 1).ui_time_zone)
    return Ticket(
        customer_id=chosen.customer_id,
        source=TicketSource.AUTOTASK,
        title=found.title,
        active_from_date=chosen.first_at.astimezone(zone).date(),
        start_date=now,
        created_by=actor.user_id,
        remote_id=found.id,
        remote_company_id=found.company_id or None,
        remote_status_id=found.status_id,
        remote_seen_at=now,
    )
