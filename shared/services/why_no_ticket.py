"""Says why the ticketing system can't take a ticket for a customer, before anybody types one."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.company_mapping import why_blocked
from shared.domain.ticket import TicketSource
from shared.domain.ticket_choices import CHOICE_FIELDS, OF_NEW_TICKETS
from shared.models.customers import Customer
from shared.models.ticketing import TicketingChoice, TicketingSettings


def why_no_ticket(db: Session, customer_id: int) -> str | None:
    """Return a sentence that says where to put it right; None where a ticket can be made, or all are kept by hand."""
    settings = db.get_one(TicketingSettings, 1)
    if settings.provider is TicketSource.MANUAL:
        return None
    mapping = select(Customer.name, Customer.autotask_company_name, Customer.autotask_mapping)
    found = db.execute(mapping.where(Customer.id == customer_id)).one_or_none()
    if found is None:
        return "This customer doesn't exist (any more)."
    name, company, state = found
    return why_blocked(name, company or "", state) or unfit_choice(db, settings)


def unfit_choice(db: Session, settings: TicketingSettings) -> str | None:
    """Return what is wrong with the choices that each new ticket is made with; None where nothing is."""
    choices = {(each.kind, each.choice_id): each for each in db.scalars(select(TicketingChoice))}
    for field in OF_NEW_TICKETS:
        about, chosen = CHOICE_FIELDS[field], getattr(settings, field)
        known = choices.get((about.kind, chosen))
        if not chosen and about.is_needed:
            return f"No {about.label} is chosen yet: an administrator chooses it in Settings, Autotask."
        if known is not None and not known.is_active:
            return (
                f"The {about.label} “{known.label}” is not active at Autotask any more: an administrator chooses "
                "another one in Settings, Autotask."
            )
    return None
