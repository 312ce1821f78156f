"""Adds and changes customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.mark_history import go_live_day, mark_history
from shared.services.watch_again import make_slots_anew, watch_customers_again

MAX_NAME = 200
MAX_NOTE = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedCustomer:
    """A customer as somebody typed it; what is empty is as the installation's."""

    name: str
    active: bool = True
    time_zone: str = ""
    note: str = ""
    go_live_on: str = ""


def add_customer(db: Session, typed: TypedCustomer, *, actor: Actor, now: datetime) -> Customer:
    """Return the new customer. Raise BadInput or Conflict (the name is taken)."""
    customer = Customer(name=_free_name(db, typed.name), active=typed.active, **_checked(typed, now))
    with _unless_taken(db, customer.name):
        db.add(customer)
    record_act(
        db, actor, "customer.added", subject_type="customer", subject_id=customer.id, after=_facts(customer), now=now
    )
    return customer


def edit_customer(db: Session, customer_id: int, typed: TypedCustomer, *, actor: Actor, now: datetime) -> Customer:
    """Change a customer; its runs become history, or cease to be, by its date. Raise NotFound, BadInput or Conflict."""
    customer = db.get(Customer, customer_id, with_for_update=True)
    if customer is None:
        raise NotFound("This customer doesn't exist (any more).")
    before, went_live, was_active = _facts(customer), _went_live(customer), customer.active
    name = _free_name(db, typed.name, besides=customer_id)
    checked = _checked(typed, now)
    with _unless_taken(db, name):
        customer.name, customer.active = name, typed.active
        for field, value in checked.items():
            setattr(customer, field, value)
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
    if _went_live(customer) != went_live:
        mark_history(db, [customer_id], actor=actor, now=now)
        make_slots_anew(db, [customer_id], now=now)
    if customer.active and not was_active:
        watch_customers_again(db, [customer_id], now=now)
    return customer


def is_time_zone(name: str) -> bool:
    return name in time_zones()


@cache
def time_zones() -> frozenset[str]:
    """Return the names of time zones that a customer can have."""
    return frozenset(available_timezones())


@contextmanager
def _unless_taken(db: Session, name: str) -> Iterator[None]:
    """Store what the block changes; somebody else may have taken the name a moment ago."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError as problem:
        raise _taken(name) from problem


def _free_name(db: Session, name: str, besides: int | None = None) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        raise BadInput("A customer needs a name.", field="name")
    if len(tidy) > MAX_NAME or "\x00" in tidy:
        raise BadInput(f"A name has at most {MAX_NAME} characters, all of them letters, digits or signs.", field="name")
    taken = select(Customer.id).where(func.lower(Customer.name) == func.lower(tidy))
    if db.scalar(taken) not in (None, besides):
        raise _taken(tidy)
    return tidy


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a customer called “{name}” already.")


def _checked(typed: TypedCustomer, now: datetime) -> dict[str, Any]:
    return {
        "time_zone": _zone(typed.time_zone),
        "note": _note(typed.note),
        "go_live_on": go_live_day(typed.go_live_on, today=now.date()),
    }


def _went_live(customer: Customer) -> tuple[date | None, str | None]:
    return customer.go_live_on, customer.time_zone


def _zone(name: str) -> str | None:
    if not name.strip():
        return None
    if not is_time_zone(name.strip()):
        raise BadInput(f"“{name.strip()}” is no time zone; write one like Europe/Amsterdam.", field="time_zone")
    return name.strip()


def _note(text: str) -> str:
    if len(text) > MAX_NOTE or "\x00" in text:
        raise BadInput(f"A note has at most {MAX_NOTE} characters.", field="note")
    return text.strip()


def _facts(customer: Customer) -> dict[str, object]:
    return {
        "name": customer.name,
        "active": customer.active,
        "zone": customer.time_zone,
        "note": customer.note,
        "go_live_on": customer.go_live_on.isoformat() if customer.go_live_on else None,
    }
