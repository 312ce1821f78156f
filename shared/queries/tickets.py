"""Tickets: the list of all, and those that a form offers to link."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from shared.domain.ticket import ErrandState, TicketSource
from shared.domain.ticketing import Mismatch
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket, TicketScope, is_open_on_job
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page

MOST_OFFERED = 10


class Standing(StrEnum):
    """How a ticket or remark stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFilters:
    """What the list is narrowed to, and its order; empty parts don't narrow."""

    standing: Standing | None = Standing.OPEN
    customer_id: int | None = None
    text: str = ""
    sort: str = "since"
    descending: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketRow:
    """One ticket. `code` is missing while it is being made; `has_trouble` when an errand about it failed.

    `job` is the name of one of its `jobs`; it is open on `open_jobs` of them. `mismatch` tells why what has its id over
    there is not followed.
    """

    ticket_id: int
    code: str | None
    title: str
    description: str
    source: TicketSource
    customer_id: int
    customer: str
    job: str | None
    jobs: int
    open_jobs: int
    started_at: datetime
    created_by: str | None
    resolved_at: datetime | None
    deleted_at: datetime | None
    misses: int
    mismatch: Mismatch | None
    has_trouble: bool

    @property
    def standing(self) -> Standing:
        if self.deleted_at is not None:
            return Standing.DELETED
        return Standing.OPEN if self.resolved_at is None else Standing.RESOLVED


def tickets(db: Session, filters: TicketFilters, page: int) -> Page[TicketRow]:
    """Return one page of tickets."""
    conditions = _conditions(filters)
    counted = select(func.count(Ticket.id)).join(Customer, Customer.id == Ticket.customer_id).where(*conditions)
    total = db.scalar(counted) or 0
    number = existing_page(page, total)
    key = _SORT_KEYS.get(filters.sort, _SORT_KEYS["since"])
    ordered = (key.desc().nulls_last() if filters.descending else key.asc().nulls_first(), Ticket.id.desc())
    shown = ticket_rows().where(*conditions).order_by(*ordered).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return Page(rows=tuple(TicketRow(**row._asdict()) for row in db.execute(shown)), number=number, total=total)


def open_tickets_count(db: Session) -> int:
    return db.scalar(select(func.count()).where(*_stands_as(Standing.OPEN))) or 0


def ticketed_customers(db: Session) -> list[tuple[int, str]]:
    """Return the customers that have tickets, for the filter."""
    has = exists().where(Ticket.customer_id == Customer.id)
    rows = db.execute(select(Customer.id, Customer.name).where(has).order_by(func.lower(Customer.name)))
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """An open ticket that runs can be linked to. What is being made is called by its number here."""

    ticket_id: int
    code: str | None
    title: str
    description: str
    job: str | None
    jobs: int

    @property
    def name(self) -> str:
        return self.code or f"#{self.ticket_id}"


def find_open_tickets(db: Session, customer_id: int, text: str) -> list[Offer]:
    """Return open tickets of a customer that have all words of `text` in code, title, description or a job's name."""
    found = db.execute(
        _offers()
        .where(Ticket.customer_id == customer_id, *_stands_as(Standing.OPEN), *_with_words(text))
        .order_by(Ticket.ticket_code.istartswith(text.strip(), autoescape=True).desc(), Ticket.id.desc())
        .limit(MOST_OFFERED)
    )
    return [Offer(**row._asdict()) for row in found]


def open_ticket_called(db: Session, customer_id: int, name: str) -> int | None:
    """Return the open ticket of a customer that a person named by its code, or by its number here."""
    typed = name.replace("\x00", "").strip()
    number = typed.removeprefix("#")
    is_it: ColumnElement[bool] = func.lower(Ticket.ticket_code) == typed.lower()
    if typed.startswith("#") and number.isascii() and number.isdigit() and len(number) < 19:
        is_it = or_(is_it, Ticket.id == int(number))
    return db.scalar(
        select(Ticket.id).where(Ticket.customer_id == customer_id, *_stands_as(Standing.OPEN), is_it).limit(1)
    )


def ticket_rows() -> Select[*tuple[Any, ...]]:
    """Return the query of TicketRow's columns, with the customer joined."""
    failed = exists().where(Errand.ticket_id == Ticket.id, Errand.state == ErrandState.FAILED)
    return (
        select(
            Ticket.id.label("ticket_id"),
            Ticket.ticket_code.label("code"),
            Ticket.title,
            func.left(Ticket.description, 300).label("description"),
            Ticket.source,
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            _first_job().label("job"),
            _scopes().label("jobs"),
            _scopes(is_open_on_job()).label("open_jobs"),
            Ticket.start_date.label("started_at"),
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("created_by"),
            Ticket.resolved_at,
            Ticket.deleted_at,
            Ticket.misses,
            Ticket.remote_mismatch.label("mismatch"),
            failed.label("has_trouble"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Ticket.created_by)
    )


def _offers() -> Select[*tuple[Any, ...]]:
    return select(
        Ticket.id.label("ticket_id"),
        Ticket.ticket_code.label("code"),
        Ticket.title,
        func.left(Ticket.description, 200).label("description"),
        _first_job().label("job"),
        _scopes().label("jobs"),
    )


def _first_job() -> ColumnElement[str | None]:
    names = select(func.min(Job.job_name)).join(TicketScope, TicketScope.job_id == Job.id)
    return names.where(TicketScope.ticket_id == Ticket.id).correlate(Ticket).scalar_subquery()


def _scopes(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    mine = select(func.count(TicketScope.id)).where(TicketScope.ticket_id == Ticket.id, *conditions)
    return mine.correlate(Ticket).scalar_subquery()


def _conditions(filters: TicketFilters) -> list[ColumnElement[bool]]:
    conditions = list(_stands_as(filters.standing)) if filters.standing else []
    if filters.customer_id is not None:
        conditions.append(Ticket.customer_id == filters.customer_id)
    return conditions + _with_words(filters.text, Customer.name)


def _stands_as(standing: Standing) -> tuple[ColumnElement[bool], ...]:
    match standing:
        case Standing.OPEN:
            return (Ticket.resolved_at.is_(None), Ticket.deleted_at.is_(None))
        case Standing.RESOLVED:
            return (Ticket.resolved_at.is_not(None), Ticket.deleted_at.is_(None))
        case Standing.DELETED:
            return (Ticket.deleted_at.is_not(None),)


def _with_words(text: str, *more: Any) -> list[ColumnElement[bool]]:  # noqa: ANN401 -- columns of text
    code: Any = func.coalesce(Ticket.ticket_code, "")
    return [or_(contains(word, code, Ticket.title, Ticket.description, *more), _of_job(word)) for word in text.split()]


def _of_job(word: str) -> ColumnElement[bool]:
    called = contains(word, Job.job_name)
    return exists().where(and_(TicketScope.ticket_id == Ticket.id, TicketScope.job_id == Job.id, called))


_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "code": func.lower(Ticket.ticket_code),
    "customer": func.lower(Customer.name),
    "since": Ticket.start_date.expression,
    "resolved": Ticket.resolved_at.expression,
}
