"""Customers and their companies at the ticketing system: one of them, and those that have none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.ticket import MappingState
from shared.models.customers import Customer


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedCustomer:
    """A customer and the company that it is; without one, all that begins with `company` is None."""

    customer_id: int
    name: str
    company_id: str | None
    company_name: str | None
    company_renamed_to: str | None
    mapping: MappingState | None
    checked_at: datetime | None


def mapped_customer(db: Session, customer_id: int) -> MappedCustomer | None:
    """Return one customer, or None."""
    row = db.execute(_SELECT.where(Customer.id == customer_id)).one_or_none()
    return MappedCustomer(**row._asdict()) if row else None


def unmapped_customers(db: Session) -> list[MappedCustomer]:
    """Return the active customers without a company, by name."""
    found = db.execute(
        _SELECT.where(Customer.autotask_company_id.is_(None), Customer.active.is_(True)).order_by(
            func.lower(Customer.name)
        )
    )
    return [MappedCustomer(**row._asdict()) for row in found]


def owners_of(db: Session, company_ids: Sequence[str]) -> dict[str, str]:
    """Return the names of the customers that are these companies, by the companies' ids."""
    query = select(Customer.autotask_company_id, Customer.name).where(Customer.autotask_company_id.in_(company_ids))
    return {row[0]: row[1] for row in db.execute(query) if row[0] is not None}


def mapped_company_ids(db: Session) -> set[str]:
    """Return the ids of all companies that are some customer's."""
    query = select(Customer.autotask_company_id).where(Customer.autotask_company_id.is_not(None))
    return {each for each in db.scalars(query) if each is not None}


_SELECT = select(
    Customer.id.label("customer_id"),
    Customer.name,
    Customer.autotask_company_id.label("company_id"),
    Customer.autotask_company_name.label("company_name"),
    Customer.autotask_company_renamed_to.label("company_renamed_to"),
    Customer.autotask_mapping.label("mapping"),
    Customer.autotask_checked_at.label("checked_at"),
)
