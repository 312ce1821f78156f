"""Adds and changes customers."""

from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound

MAX_NAME = 200


def add_customer(
    db: Session, name: str, *, actor: Actor, now: datetime, active: bool = True, time_zone: str = ""
) -> Customer:
    """Return the new customer. Raise BadInput or Conflict (the name is taken)."""
    customer = Customer(name=_free_name(db, name), active=active, time_zone=_zone(time_zone))
    db.add(customer)
    db.flush()  # callers go on with its id
    record_act(
        db, actor, "customer.added", subject_type="customer", subject_id=customer.id, after=_facts(customer), now=now
    )
    return customer


def edit_customer(
    db: Session, customer_id: int, *, name: str, active: bool, time_zone: str, note: str, actor: Actor, now: datetime
) -> Customer:
    """Change a customer. Raise NotFound, BadInput or Conflict."""
    customer = db.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound("This customer doesn't exist (any more).")
    before = _facts(customer)
    customer.name = _free_name(db, name, besides=customer_id)
    customer.active, customer.time_zone, customer.note = active, _zone(time_zone), note.strip()
    record_act(
        db,
        actor,
        "customer.changed",
        subject_type="customer",
        subject_id=customer_id,
        before=before,
        after=_facts(customer),
        now=now,
    )
    return customer


def _free_name(db: Session, name: str, besides: int | None = None) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        raise BadInput("A customer needs a name.")
    if len(tidy) > MAX_NAME:
        raise BadInput(f"A name has at most {MAX_NAME} characters.")
    taken = select(Customer.id).where(func.lower(Customer.name) == func.lower(tidy))
    if db.scalar(taken) not in (None, besides):
        raise Conflict(f"There is a customer called “{tidy}” already.")
    return tidy


def _zone(name: str) -> str | None:
    if not name.strip():
        return None
    if name.strip() not in available_timezones():
        raise BadInput(f"“{name.strip()}” is no time zone; write one like Europe/Amsterdam.")
    return name.strip()


def _facts(customer: Customer) -> dict[str, object]:
    return {"name": customer.name, "active": customer.active, "zone": customer.time_zone, "note": customer.note}
