"""Run Checks: one row per job with unreviewed runs, worst first."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import Status, badness
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.users import User
from shared.queries.rows import badness_of, contains, watched_jobs

MOST_ROWS = 1000
GOOD = (Status.SUCCESS, Status.INFORMATIONAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What the page is narrowed to; empty parts don't narrow."""

    customer_id: int | None = None
    software: str = ""
    status: Status | None = None
    text: str = ""
    include_reviewed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """One job with its runs to review. `seen` are (run id, verdict version) pairs, newest first."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    counts: tuple[tuple[Status, int], ...]
    worst: Status
    last_run_at: datetime
    newest_run_id: int
    reason: str
    seen: tuple[tuple[int, int], ...]
    clean: bool

    @property
    def runs(self) -> int:
        return len(self.seen)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunChecks:
    """The whole page: rows to look at, and the clean successes that are one line."""

    rows: tuple[JobRow, ...]
    clean: tuple[JobRow, ...]
    total_jobs: int
    customers: tuple[tuple[int, str], ...] = field(default=())
    softwares: tuple[str, ...] = field(default=())

    @property
    def runs(self) -> int:
        return sum(row.runs for row in (*self.rows, *self.clean))

    @property
    def jobs(self) -> int:
        return len(self.rows) + len(self.clean)


def run_checks(db: Session, filters: Filters) -> RunChecks:
    """Return the jobs with runs to review, at most 1,000, and the choices of the filters."""
    found = [_job_row(row) for row in db.execute(_jobs(filters).limit(MOST_ROWS + 1)).all()]
    shown = found[:MOST_ROWS]
    total = len(found) if len(found) <= MOST_ROWS else _count(db, filters)
    return RunChecks(
        rows=tuple(row for row in shown if not row.clean),
        clean=tuple(row for row in shown if row.clean),
        total_jobs=total,
        customers=tuple((row[0], row[1]) for row in db.execute(_customers())),
        softwares=tuple(db.scalars(_softwares())),
    )


def one_job(db: Session, job_id: int) -> JobRow | None:
    """Return the row of one job, or None when nothing of it is to review."""
    row = db.execute(_jobs(Filters()).where(Job.id == job_id)).one_or_none()
    return _job_row(row) if row else None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneToday:
    """What was reviewed since `since`: the empty page tells it."""

    runs: int
    people: tuple[str, ...]
    last_at: datetime | None


def done_since(db: Session, since: datetime) -> DoneToday:
    """Return how many runs were reviewed since `since`, by whom and when last."""
    name = func.coalesce(func.nullif(User.display_name, ""), User.username)
    rows = db.execute(
        select(name, func.count(JobRun.id), func.max(JobRun.reviewed_at))
        .join(User, User.id == JobRun.reviewed_by)
        .where(JobRun.reviewed_at >= since)
        .group_by(name)
        .order_by(func.count(JobRun.id).desc())
    ).all()
    return DoneToday(
        runs=sum(row[1] for row in rows),
        people=tuple(row[0] for row in rows),
        last_at=max((row[2] for row in rows), default=None),
    )


def _is_clean() -> ColumnElement[bool]:
    """A clean success: certain of its job, as the mail said it, nothing to look at."""
    return and_(
        JobRun.status == Status.SUCCESS,
        JobRun.raw_status == Status.SUCCESS,
        JobRun.source == RunSource.MAIL,
        JobRun.matched_by != MatchedBy.PERSON,
    )


def _jobs(filters: Filters) -> Select[*tuple[Any, ...]]:
    rank = badness_of(JobRun.status)
    newest = (JobRun.run_at.desc(), JobRun.id.desc())
    latest_rank = func.array_agg(aggregate_order_by(rank, *newest))[1]
    query: Select[*tuple[Any, ...]] = (
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software,
            Job.backup_type,
            func.array_agg(aggregate_order_by(JobRun.id, *newest)).label("run_ids"),
            func.array_agg(aggregate_order_by(JobRun.verdict_version, *newest)).label("versions"),
            func.array_agg(aggregate_order_by(JobRun.status, *newest)).label("statuses"),
            func.max(JobRun.run_at).label("last_run_at"),
            func.array_agg(aggregate_order_by(func.left(JobRun.message, 300), rank.desc(), *newest))[1].label("reason"),
            func.bool_and(_is_clean()).label("clean"),
        )
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), *_narrowed(filters))
        .group_by(Job.id, Customer.id)
        # Of two jobs with the same worst run the one that is still bad comes first.
        .order_by(
            func.max(rank).desc(), latest_rank.desc(), func.lower(Customer.name), func.lower(Job.job_name), Job.id
        )
    )
    if filters.status is not None:
        query = query.having(func.bool_or(JobRun.status == filters.status))
    return query


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not filters.include_reviewed:
        conditions.append(JobRun.reviewed_at.is_(None))
    if filters.customer_id is not None:
        conditions.append(Customer.id == filters.customer_id)
    if filters.software:
        conditions.append(Job.backup_software == filters.software)
    if filters.text:
        words = filters.text.split()
        conditions.extend(
            contains(word, Customer.name, Job.job_name, Job.backup_software, Job.backup_type, JobRun.message)
            for word in words
        )
    return conditions


def _count(db: Session, filters: Filters) -> int:
    return db.scalar(select(func.count()).select_from(_jobs(filters).order_by(None).subquery())) or 0


def _customers() -> Select[int, str]:
    return (
        select(Customer.id, Customer.name)
        .join(Job, Job.customer_id == Customer.id)
        .join(JobRun, JobRun.job_id == Job.id)
        .where(*watched_jobs(), JobRun.reviewed_at.is_(None))
        .group_by(Customer.id)
        .order_by(func.lower(Customer.name))
    )


def _softwares() -> Select[str]:
    return (
        select(Job.backup_software)
        .join(Customer, Customer.id == Job.customer_id)
        .join(JobRun, JobRun.job_id == Job.id)
        .where(*watched_jobs(), JobRun.reviewed_at.is_(None))
        .group_by(Job.backup_software)
        .order_by(Job.backup_software)
    )


def _job_row(row: Row[Any]) -> JobRow:
    statuses = [Status(value) for value in row.statuses]
    kinds = sorted(set(statuses), key=badness, reverse=True)
    return JobRow(
        job_id=row.job_id,
        customer_id=row.customer_id,
        customer=row.customer,
        job_name=row.job_name,
        software=row.backup_software,
        backup_type=row.backup_type,
        counts=tuple((status, statuses.count(status)) for status in kinds),
        worst=kinds[0],
        last_run_at=row.last_run_at,
        newest_run_id=row.run_ids[0],
        reason=row.reason,
        seen=tuple(zip(row.run_ids, row.versions, strict=True)),
        clean=row.clean,
    )
