"""Jobs: the list, one job, the archive, and the jobs that aren't protected now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session, aliased

from shared.domain.reading import Kind
from shared.domain.run import RunSource
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.mail import MailReading
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, badness_of, contains, watched_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilters:
    """What the list is narrowed to. With `customer_id` inactive customers' jobs are shown too."""

    customer_id: int | None = None
    software: str = ""
    text: str = ""
    sort: str = "customer"
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """One job of the list."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    kind: Kind
    last_run_id: int | None
    last_run_at: datetime | None
    last_status: Status | None
    last_message: str | None
    last_good_at: datetime | None
    archived_at: datetime | None


SORTS = ("customer", "job", "software", "last_run", "last_good", "status")


def jobs(db: Session, filters: JobFilters, page: int) -> Page[JobRow]:
    """Return one page of the jobs that aren't archived."""
    conditions = [Job.archived_at.is_(None), *_narrowed(filters)]
    return _page(db, conditions, page, sort=filters.sort, descending=filters.descending)


def archived_jobs(db: Session, page: int) -> Page[JobRow]:
    """Return one page of the archive."""
    return _page(db, [Job.archived_at.is_not(None)], page, sort="customer", descending=False)


def not_protected(db: Session, page: int) -> Page[JobRow]:
    """Return the jobs whose latest result isn't good, longest without a good one first.

    Reviews, tickets and overrides change nothing about it; informational jobs protect nothing.
    """
    return _page(db, _not_good_now(), page, sort="last_good", descending=False)


def not_protected_count(db: Session) -> int:
    """Return how many jobs aren't protected now."""
    return db.scalar(select(func.count()).select_from(_rows(_not_good_now()).subquery())) or 0


def softwares(db: Session) -> list[str]:
    """Return the products that jobs use, for filters."""
    names = select(Job.backup_software).where(Job.archived_at.is_(None)).distinct().order_by(Job.backup_software)
    return list(db.scalars(names))


_last = aliased(JobRun, name="last")
_LAST = (
    select(_last)
    .where(_last.job_id == Job.id)
    .order_by(_last.run_at.desc(), _last.id.desc())
    .limit(1)
    .correlate(Job)
    .lateral("last_run")
)
_good = aliased(JobRun, name="good")
_LAST_GOOD = (
    select(_good.run_at)
    .where(_good.job_id == Job.id, _good.status == Status.SUCCESS)
    .order_by(_good.run_at.desc())
    .limit(1)
    .correlate(Job)
    .lateral("last_good")
)


def _rows(conditions: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software.label("software"),
            Job.backup_type,
            Job.kind,
            _LAST.c.id.label("last_run_id"),
            _LAST.c.run_at.label("last_run_at"),
            _LAST.c.status.label("last_status"),
            func.left(_LAST.c.message, 300).label("last_message"),
            _LAST_GOOD.c.run_at.label("last_good_at"),
            Job.archived_at,
        )
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(_LAST, true())
        .outerjoin(_LAST_GOOD, true())
        .where(*conditions)
    )


def _page(
    db: Session, conditions: list[ColumnElement[bool]], page: int, *, sort: str, descending: bool
) -> Page[JobRow]:
    key = _SORT_KEYS.get(sort, _SORT_KEYS["customer"])
    order = key.desc().nulls_last() if descending else key.asc().nulls_first()
    query = _rows(conditions).order_by(order, func.lower(Customer.name), func.lower(Job.job_name), Job.id)
    found = db.execute(query.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    total = db.scalar(select(func.count()).select_from(_rows(conditions).subquery())) or 0
    return Page(rows=tuple(JobRow(**row._asdict()) for row in found), number=page, total=total)


_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "customer": func.lower(Customer.name),
    "job": func.lower(Job.job_name),
    "software": Job.backup_software.expression,
    "last_run": _LAST.c.run_at,
    "last_good": _LAST_GOOD.c.run_at,
    "status": badness_of(_LAST.c.status),
}


def _narrowed(filters: JobFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.customer_id is None:
        conditions.append(Customer.active.is_(True))
    else:
        conditions.append(Customer.id == filters.customer_id)
    if filters.software:
        conditions.append(Job.backup_software == filters.software)
    conditions.extend(
        contains(word, Customer.name, Job.job_name, Job.backup_software, Job.backup_type)
        for word in filters.text.split()
    )
    return conditions


def _not_good_now() -> list[ColumnElement[bool]]:
    return [*watched_jobs(), Job.kind != Kind.INFORMATIONAL, _LAST.c.status.is_not(None), _LAST.c.status.not_in(_FINE)]


_FINE = (Status.SUCCESS, Status.INFORMATIONAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRow:
    """One key by which the job's mails are known."""

    from_address: str
    software: str
    backup_type: str
    job_name: str
    origin: str
    standing: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobDetail:
    """One job's facts."""

    row: JobRow
    customer_active: bool
    time_zone: str | None
    created_at: datetime
    created_by: str | None
    archived_by: str | None
    keys: tuple[KeyRow, ...]
    still_reporting: int  # mails that came since the job was archived


def job_detail(db: Session, job_id: int) -> JobDetail | None:
    """Return one job, archived or not, or None."""
    found = db.execute(_rows([Job.id == job_id])).one_or_none()
    if found is None:
        return None
    creator, archiver = aliased(User), aliased(User)
    facts = db.execute(
        select(Customer.active, Customer.time_zone, Job.created_at, creator.username, archiver.username)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(creator, creator.id == Job.created_by)
        .outerjoin(archiver, archiver.id == Job.archived_by)
        .where(Job.id == job_id)
    ).one()
    reporting = select(func.count()).where(MailReading.job_id == job_id, MailReading.outcome == "archived")
    return JobDetail(
        row=JobRow(**found._asdict()),
        customer_active=facts[0],
        time_zone=facts[1],
        created_at=facts[2],
        created_by=facts[3],
        archived_by=facts[4],
        keys=_keys(db, job_id),
        still_reporting=db.scalar(reporting) or 0,
    )


def _keys(db: Session, job_id: int) -> tuple[KeyRow, ...]:
    rows = db.scalars(select(JobKeyRow).where(JobKeyRow.job_id == job_id).order_by(JobKeyRow.id))
    return tuple(
        KeyRow(
            from_address=row.from_address,
            software=row.backup_software,
            backup_type=row.backup_type,
            job_name=row.job_name,
            origin=row.origin_shown or row.origin,
            standing=row.standing.value,
        )
        for row in rows
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRunRow:
    """One run in a job's history."""

    run_id: int
    run_at: datetime
    source: RunSource
    status: Status
    raw_status: Status
    message: str
    started_at: datetime | None
    ended_at: datetime | None
    size_bytes: int | None
    reviewed_at: datetime | None
    reviewed_by: str | None


def job_runs(db: Session, job_id: int, page: int) -> Page[JobRunRow]:
    """Return one page of a job's runs, newest first."""
    found = db.execute(
        select(
            JobRun.id.label("run_id"),
            JobRun.run_at,
            JobRun.source,
            JobRun.status,
            JobRun.raw_status,
            func.left(JobRun.message, 300).label("message"),
            JobRun.started_at,
            JobRun.ended_at,
            JobRun.size_bytes,
            JobRun.reviewed_at,
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("reviewed_by"),
        )
        .outerjoin(User, User.id == JobRun.reviewed_by)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    total = db.scalar(select(func.count()).where(JobRun.job_id == job_id)) or 0
    return Page(rows=tuple(JobRunRow(**row._asdict()) for row in found), number=page, total=total)
