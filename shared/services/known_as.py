"""By what a ticket is known at the ticketing system, beside its id there."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.ticketing import KnownAs
from shared.models.customers import Customer
from shared.models.tickets import Ticket


def known_as(db: Session, ticket: Ticket) -> KnownAs:
    """Return what must be the same over there. A ticket may go along with its customer to another company."""
    if ticket.remote_company_id is None:
        return KnownAs(number=number_of(ticket))
    now = db.scalar(select(Customer.autotask_company_id).where(Customer.id == ticket.customer_id))
    return KnownAs(number=number_of(ticket), company_ids=frozenset(filter(None, (ticket.remote_company_id, now))))


def number_of(ticket: Ticket) -> str:
    """Return its number over there, without what tells it from a code that somebody typed; empty until it is known."""
    return (ticket.ticket_code or "").removesuffix(f" ({ticket.remote_id})")
