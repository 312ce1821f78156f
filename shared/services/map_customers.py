"""Says which company at the ticketing system a customer is. A person decides; a company is one customer's at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company
from shared.models.customers import Customer
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """What became of many: how many were mapped, and a sentence for each that was not."""

    done: int
    refused: tuple[str, ...]


def map_customer(db: Session, customer_id: int, company: Company, *, actor: Actor, now: datetime) -> str:
    """Let a customer be a company, as the ticketing system has it now; return his name.

    Raise NotFound, BadInput (it takes no tickets) or Conflict, which names the customer whose company it is.
    """
    customer = _locked(db, customer_id)
    if not company.is_active:
        raise BadInput(f"“{company.name}” is not active at Autotask, so it takes no tickets: choose another company.")
    if (other := owner_of(db, company.id)) is not None and other[0] != customer_id:
        raise _taken(company, other[1])
    before = _facts(customer)
    try:
        with db.begin_nested():
            _point(customer, company, now)
    except IntegrityError as problem:  # somebody was faster
        owner = owner_of(db, company.id)
        raise _taken(company, owner[1] if owner else "another customer") from problem
    _record(db, customer, "customer.mapped", before, actor, now)
    return customer.name


def map_customers(db: Session, chosen: Mapping[int, Company], *, actor: Actor, now: datetime) -> Mapped:
    """Map many, each by itself: what one can't have keeps no other from his."""
    done, refused = 0, []
    for customer_id in sorted(chosen):
        try:
            map_customer(db, customer_id, chosen[customer_id], actor=actor, now=now)
        except (BadInput, Conflict, NotFound) as problem:
            refused.append(str(problem))
        else:
            done += 1
    return Mapped(done=done, refused=tuple(refused))


def clear_mapping(db: Session, customer_id: int, *, actor: Actor, now: datetime) -> str:
    """Let a customer be no company any more; return his name. Tickets that there are stay where they are."""
    customer = _locked(db, customer_id)
    before = _facts(customer)
    customer.autotask_company_id = customer.autotask_company_name = customer.autotask_company_renamed_to = None
    customer.autotask_mapping = customer.autotask_checked_at = None
    if before["company"] is not None:
        _record(db, customer, "customer.unmapped", before, actor, now)
    return customer.name


def accept_name(db: Session, customer_id: int, name: str, *, actor: Actor, now: datetime) -> None:
    """Take over the name that a company has now, which is the one that was on the page. Raise NotFound or Conflict."""
    customer = _locked(db, customer_id)
    if customer.autotask_mapping is not MappingState.RENAMED or customer.autotask_company_renamed_to != name:
        raise Conflict("The company's name is not what this page showed any more. Look again.")
    before = _facts(customer)
    customer.autotask_company_name, customer.autotask_company_renamed_to = name, None
    customer.autotask_mapping = MappingState.OK
    _record(db, customer, "customer.company_renamed", before, actor, now)


def owner_of(db: Session, company_id: str) -> tuple[int, str] | None:
    """Return the id and name of the customer that is a company."""
    found = db.execute(select(Customer.id, Customer.name).where(Customer.autotask_company_id == company_id))
    row = found.one_or_none()
    return (row[0], row[1]) if row else None


def _point(customer: Customer, company: Company, now: datetime) -> None:
    customer.autotask_company_id, customer.autotask_company_name = company.id, company.name
    customer.autotask_company_renamed_to = None
    customer.autotask_mapping, customer.autotask_checked_at = MappingState.OK, now


def _locked(db: Session, customer_id: int) -> Customer:
    customer = db.get(Customer, customer_id, with_for_update=True, populate_existing=True)
    if customer is None:
        raise NotFound("This customer doesn't exist (any more).")
    return customer


def _taken(company: Company, owner: str) -> Conflict:
    taken = f"“{company.name}” is the company of {owner} already, and two can't share one."
    return Conflict(f"{taken} Clear it there first.")


def _facts(customer: Customer) -> dict[str, str | None]:
    return {"company": customer.autotask_company_id, "name": customer.autotask_company_name}


def _record(
    db: Session, customer: Customer, action: str, before: Mapping[str, str | None], actor: Actor, now: datetime
) -> None:
    record_act(
        db,
        actor,
        action,
        subject_type="customer",
        subject_id=customer.id,
        before=before,
        after=_facts(customer),
        now=now,
    )
