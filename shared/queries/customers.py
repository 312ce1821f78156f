"""Customers: the list, the choices of a type-ahead, and the export."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from shared.domain.ticket import MappingState
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page

MOST_FOUND = 20
NO_COMPANY = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerRow:
    """One customer; `jobs` counts those that aren't archived."""

    customer_id: int
    name: str
    active: bool
    time_zone: str | None
    go_live_on: date | None
    note: str
    jobs: int
    company_id: str | None
    company_name: str | None
    company_renamed_to: str | None
    mapping: MappingState | None


def customers(
    db: Session,
    *,
    text: str = "",
    active: bool | None = None,
    company: str = "",
    sort: str = "name",
    descending: bool = False,
    page: int = 1,
) -> Page[CustomerRow]:
    """Return one page of customers whose name has all words of `text`.

    `company` narrows it to a state of the mapping, or to NO_COMPANY.
    """
    conditions: list[ColumnElement[bool]] = [contains(word, Customer.name, Customer.note) for word in text.split()]
    if active is not None:
        conditions.append(Customer.active.is_(active))
    if company == NO_COMPANY:
        conditions.append(Customer.autotask_mapping.is_(None))
    elif company in {state.value for state in MappingState}:
        conditions.append(Customer.autotask_mapping == MappingState(company))
    key = _SORT_KEYS.get(sort, _SORT_KEYS["name"])
    total = db.scalar(select(func.count()).select_from(Customer).where(*conditions)) or 0
    number = existing_page(page, total)
    found = db.execute(
        _select()
        .where(*conditions)
        .order_by(key.desc() if descending else key, func.lower(Customer.name))
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(rows=tuple(CustomerRow(**row._asdict()) for row in found), number=number, total=total)


def customer(db: Session, customer_id: int) -> CustomerRow | None:
    """Return one customer, or None."""
    row = db.execute(_select().where(Customer.id == customer_id)).one_or_none()
    return CustomerRow(**row._asdict()) if row else None


def find_customers(db: Session, text: str) -> list[CustomerRow]:
    """Return active customers whose name has all words of `text` in any place, those that begin with it first."""
    text = text.replace("\x00", "").strip()  # no column can hold one, and the driver refuses it
    conditions = [contains(word, Customer.name) for word in text.split()]
    found = db.execute(
        _select()
        .where(Customer.active.is_(True), *conditions)
        .order_by(Customer.name.istartswith(text, autoescape=True).desc(), func.lower(Customer.name))
        .limit(MOST_FOUND)
    )
    return [CustomerRow(**row._asdict()) for row in found]


def customer_choices(db: Session) -> list[tuple[int, str]]:
    """Return the ids and names of active customers that have jobs, for filters."""
    has_jobs = select(Job.id).where(Job.customer_id == Customer.id, Job.archived_at.is_(None)).exists()
    query = select(Customer.id, Customer.name).where(Customer.active.is_(True), has_jobs)
    return [(row[0], row[1]) for row in db.execute(query.order_by(func.lower(Customer.name)))]


def all_customers(db: Session) -> list[CustomerRow]:
    """Return every customer by name, for the export."""
    return [CustomerRow(**row._asdict()) for row in db.execute(_select().order_by(func.lower(Customer.name)))]


def _job_count() -> ColumnElement[int]:
    mine = select(func.count()).where(Job.customer_id == Customer.id, Job.archived_at.is_(None))
    return mine.correlate(Customer).scalar_subquery()


def _select() -> Any:  # noqa: ANN401 -- the row type is spelled out by CustomerRow
    return select(
        Customer.id.label("customer_id"),
        Customer.name,
        Customer.active,
        Customer.time_zone,
        Customer.go_live_on,
        Customer.note,
        _job_count().label("jobs"),
        Customer.autotask_company_id.label("company_id"),
        Customer.autotask_company_name.label("company_name"),
        Customer.autotask_company_renamed_to.label("company_renamed_to"),
        Customer.autotask_mapping.label("mapping"),
    )


_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "name": func.lower(Customer.name),
    "active": Customer.active.expression,
    "jobs": _job_count(),
    "company": func.lower(Customer.autotask_company_name),
}
