"""Remarks: the list of all, and one with the jobs it is about and the runs it is linked to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.tickets import Remark, RemarkRun, RemarkScope
from shared.models.users import User
from shared.queries.linked_runs import LinkedRun, linked_runs
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page
from shared.queries.tickets import Standing, TicketFilters


@dataclass(frozen=True, kw_only=True, slots=True)
class RemarkRow:
    """One remark; `job` is the name of one of its `jobs`."""

    remark_id: int
    body: str
    customer_id: int
    customer: str
    job: str | None
    jobs: int
    created_at: datetime
    created_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RemarkScopeRow:
    """A job that the remark is about. One that belongs to another customer by now is over for good."""

    job_id: int
    job_name: str
    software: str
    resolved_at: datetime | None
    was_moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RemarkDetail:
    row: RemarkRow
    scopes: tuple[RemarkScopeRow, ...]


def remarks(db: Session, filters: TicketFilters, page: int) -> Page[RemarkRow]:
    """Return one page of remarks. None was ever deleted."""
    conditions = _conditions(filters)
    counted = select(func.count(Remark.id)).join(Customer, Customer.id == Remark.customer_id).where(*conditions)
    total = db.scalar(counted) or 0
    number = existing_page(page, total)
    key = _SORT_KEYS.get(filters.sort, _SORT_KEYS["since"])
    ordered = (key.desc().nulls_last() if filters.descending else key.asc().nulls_first(), Remark.id.desc())
    shown = _rows().where(*conditions).order_by(*ordered).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return Page(rows=tuple(RemarkRow(**row._asdict()) for row in db.execute(shown)), number=number, total=total)


def open_remarks_count(db: Session) -> int:
    return db.scalar(select(func.count()).where(Remark.resolved_at.is_(None))) or 0


def remarked_customers(db: Session) -> list[tuple[int, str]]:
    """Return the customers that have remarks, for the filter."""
    has = exists().where(Remark.customer_id == Customer.id)
    rows = db.execute(select(Customer.id, Customer.name).where(has).order_by(func.lower(Customer.name)))
    return [(row[0], row[1]) for row in rows]


def remark_detail(db: Session, remark_id: int) -> RemarkDetail | None:
    """Return one remark, or None."""
    found = db.execute(_rows().where(Remark.id == remark_id)).one_or_none()
    if found is None:
        return None
    scopes = db.execute(
        select(
            Job.id.label("job_id"),
            Job.job_name,
            Job.backup_software.label("software"),
            func.coalesce(RemarkScope.resolved_at, found.resolved_at).label("resolved_at"),
            (Job.customer_id != found.customer_id).label("was_moved"),
        )
        .join(RemarkScope, RemarkScope.job_id == Job.id)
        .where(RemarkScope.remark_id == remark_id)
        .order_by(func.lower(Job.job_name), Job.id)
    )
    return RemarkDetail(
        row=RemarkRow(**found._asdict()), scopes=tuple(RemarkScopeRow(**scope._asdict()) for scope in scopes)
    )


def runs_of_remark(db: Session, remark_id: int, page: int) -> Page[LinkedRun]:
    """Return one page of the runs that the remark is linked to, newest first."""
    return linked_runs(db, select(RemarkRun.job_run_id).where(RemarkRun.remark_id == remark_id), page)


_resolver = aliased(User)


def _rows() -> Select[*tuple[Any, ...]]:
    scopes = select(func.count(RemarkScope.id)).where(RemarkScope.remark_id == Remark.id)
    name = select(func.min(Job.job_name)).join(RemarkScope, RemarkScope.job_id == Job.id)
    return (
        select(
            Remark.id.label("remark_id"),
            Remark.body,
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            name.where(RemarkScope.remark_id == Remark.id).correlate(Remark).scalar_subquery().label("job"),
            scopes.correlate(Remark).scalar_subquery().label("jobs"),
            Remark.created_at,
            _name_of(User).label("created_by"),
            Remark.resolved_at,
            _name_of(_resolver).label("resolved_by"),
        )
        .join(Customer, Customer.id == Remark.customer_id)
        .outerjoin(User, User.id == Remark.created_by)
        .outerjoin(_resolver, _resolver.id == Remark.resolved_by)
    )


def _name_of(user: type[User]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(user.display_name, ""), user.username)


def _conditions(filters: TicketFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.standing is Standing.OPEN:
        conditions.append(Remark.resolved_at.is_(None))
    elif filters.standing is not None:
        conditions.append(Remark.resolved_at.is_not(None))
    if filters.customer_id is not None:
        conditions.append(Remark.customer_id == filters.customer_id)
    for word in filters.text.split():
        job = and_(RemarkScope.remark_id == Remark.id, RemarkScope.job_id == Job.id, contains(word, Job.job_name))
        conditions.append(or_(contains(word, Remark.body, Customer.name), exists().where(job)))
    return conditions


_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "customer": func.lower(Customer.name),
    "since": Remark.created_at.expression,
    "resolved": Remark.resolved_at.expression,
}
