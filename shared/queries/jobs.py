"""Jobs: the list, the archive, and the jobs that aren't protected now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from shared.domain.reading import Kind
from shared.domain.status import RESTORABLE, Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.queries.rows import PAGE_SIZE, Page, badness_of, contains, existing_page, watched_jobs


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
    """One job of the list. `last_good_at` is when its last restorable backup was reported."""

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

    @property
    def makes_backups(self) -> bool:
        """Whether a good result is to be expected; some products mail only trouble, or no results at all."""
        return self.kind not in (Kind.INFORMATIONAL, Kind.ALERT_ONLY)


SORTS = ("customer", "job", "software", "last_run", "last_good", "status")


def jobs(db: Session, filters: JobFilters, page: int) -> Page[JobRow]:
    """Return one page of the jobs that aren't archived."""
    conditions = [Job.archived_at.is_(None), *_narrowed(filters)]
    return _page(db, conditions, page, sort=filters.sort, descending=filters.descending)


def archived_jobs(db: Session, page: int, text: str = "") -> Page[JobRow]:
    """Return one page of the archive."""
    conditions = [Job.archived_at.is_not(None), *_with_words(text)]
    return _page(db, conditions, page, sort="customer", descending=False)


def not_protected(db: Session, page: int) -> Page[JobRow]:
    """Return the jobs whose latest judged result isn't good, longest without a good one first.

    Reviews, tickets and overrides change nothing about it; informational jobs protect nothing.
    """
    order = (_LAST_GOOD.c.run_at.asc().nulls_first(), func.lower(Customer.name), func.lower(Job.job_name), Job.id)
    query = job_rows(_NOT_GOOD_NOW, last=_JUDGED).order_by(*order)
    return _fetched(db, query, page, total=not_protected_count(db))


def not_protected_count(db: Session) -> int:
    """Return how many jobs aren't protected now."""
    found = select(func.count(Job.id)).join(Customer).join(_JUDGED, true()).where(*_NOT_GOOD_NOW)
    return db.scalar(found) or 0


def without_result_count(db: Session) -> int:
    """Return how many jobs that should make backups have no judged result at all."""
    found = select(func.count(Job.id)).join(Customer).outerjoin(_JUDGED, true())
    return db.scalar(found.where(*watched_jobs(), Job.kind == Kind.REGULAR, _JUDGED.c.id.is_(None))) or 0


def judged_count(db: Session) -> int:
    """Return how many jobs have a result that was judged."""
    found = select(func.count(Job.id)).join(Customer).join(_JUDGED, true())
    return db.scalar(found.where(*watched_jobs(), Job.kind != Kind.INFORMATIONAL)) or 0


def softwares(db: Session) -> list[str]:
    """Return the products that jobs use, for filters."""
    names = select(Job.backup_software).where(Job.archived_at.is_(None)).distinct().order_by(Job.backup_software)
    return list(db.scalars(names))


def job_rows(
    conditions: tuple[ColumnElement[bool], ...], last: LateralFromClause | None = None
) -> Select[*tuple[Any, ...]]:
    """Return the query of JobRow's columns; `last` is the run that stands for the job, by default the newest."""
    last = _LAST if last is None else last
    return (
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software.label("software"),
            Job.backup_type,
            Job.kind,
            last.c.id.label("last_run_id"),
            last.c.run_at.label("last_run_at"),
            last.c.status.label("last_status"),
            func.left(last.c.message, 300).label("last_message"),
            _LAST_GOOD.c.run_at.label("last_good_at"),
            Job.archived_at,
        )
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(last, true())
        .outerjoin(_LAST_GOOD, true())
        .where(*conditions)
    )


def _newest_run(name: str, *conditions: ColumnElement[bool]) -> LateralFromClause:
    whole = (JobRun.job_id == Job.id, JobRun.attempt_of_id.is_(None))
    query = select(JobRun.id, JobRun.run_at, JobRun.status, JobRun.message).where(*whole, *conditions)
    return query.order_by(JobRun.run_at.desc(), JobRun.id.desc()).limit(1).correlate(Job).lateral(name)


_LAST = _newest_run("last_run")
_LAST_GOOD = (
    select(JobRun.run_at)
    .where(JobRun.job_id == Job.id, JobRun.attempt_of_id.is_(None), JobRun.raw_status.in_(RESTORABLE))
    .order_by(JobRun.run_at.desc())  # no further key: the index of restorable runs has none
    .limit(1)
    .correlate(Job)
    .lateral("last_good")
)
# An informational mail among a backup's results tells nothing about the backup.
_JUDGED = _newest_run("judged", JobRun.status != Status.INFORMATIONAL)
_NOT_GOOD_NOW = (*watched_jobs(), Job.kind != Kind.INFORMATIONAL, _JUDGED.c.status != Status.SUCCESS)

_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "customer": func.lower(Customer.name),
    "job": func.lower(Job.job_name),
    "software": Job.backup_software.expression,
    "last_run": _LAST.c.run_at,
    "last_good": _LAST_GOOD.c.run_at,
    "status": badness_of(_LAST.c.status),
}
_SORTS_BY_RUN = frozenset({"last_run", "last_good", "status"})


def _page(
    db: Session, conditions: list[ColumnElement[bool]], page: int, *, sort: str, descending: bool
) -> Page[JobRow]:
    key = _SORT_KEYS.get(sort, _SORT_KEYS["customer"])
    by_key = key.desc().nulls_last() if descending else key.asc().nulls_first()
    order = (by_key, func.lower(Customer.name), func.lower(Job.job_name), Job.id)
    total = db.scalar(select(func.count(Job.id)).join(Customer).where(*conditions)) or 0
    if sort in _SORTS_BY_RUN:
        return _fetched(db, job_rows(tuple(conditions)).order_by(*order), page, total=total)
    # The runs of fifty jobs are looked at, not those of all.
    number = existing_page(page, total)
    shown = select(Job.id).join(Customer).where(*conditions).order_by(*order)
    shown = shown.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    found = db.execute(job_rows((Job.id.in_(shown),)).order_by(*order)).all()
    return Page(rows=tuple(JobRow(**row._asdict()) for row in found), number=number, total=total)


def _fetched(db: Session, query: Select[*tuple[Any, ...]], page: int, *, total: int) -> Page[JobRow]:
    number = existing_page(page, total)
    found = db.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(rows=tuple(JobRow(**row._asdict()) for row in found), number=number, total=total)


def _narrowed(filters: JobFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.customer_id is None:
        conditions.append(Customer.active.is_(True))
    else:
        conditions.append(Customer.id == filters.customer_id)
    if software := filters.software.replace("\x00", ""):  # no column can hold one, and the driver refuses it
        conditions.append(Job.backup_software == software)
    return conditions + _with_words(filters.text)


def _with_words(text: str) -> list[ColumnElement[bool]]:
    return [contains(word, Customer.name, Job.job_name, Job.backup_software, Job.backup_type) for word in text.split()]
