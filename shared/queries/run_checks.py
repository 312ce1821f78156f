"""Run Checks: one row per job with unreviewed runs, worst first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import NEEDS_REASON, Status, badness
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review, waits_for_review
from shared.queries.rows import badness_of, contains, watched_jobs

MOST_ROWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What the page is narrowed to; empty parts don't narrow. A job that fits is shown with all its runs.

    `reviewed_since` adds the runs that were reviewed after that moment.
    """

    customer_id: int | None = None
    software: str = ""
    status: Status | None = None
    text: str = ""
    reviewed_since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """One job with its runs. `seen` are the (run id, verdict version) pairs that wait for a review, newest first."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    counts: tuple[tuple[Status, int], ...]
    last_run_at: datetime
    reason: str
    seen: tuple[tuple[int, int], ...]
    needs_reason: bool
    clean: bool

    @property
    def pairs(self) -> str:
        """`seen` as a form carries it: `12:1,13:1`."""
        return ",".join(f"{run_id}:{version}" for run_id, version in self.seen)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunChecks:
    """The whole page: rows to look at, and the clean successes that are one line.

    `jobs` and `runs` count all that fits and waits for a review, also beyond the rows that are shown.
    """

    rows: tuple[JobRow, ...]
    clean: tuple[JobRow, ...]
    jobs: int
    runs: int

    @property
    def shown(self) -> int:
        return len(self.rows) + len(self.clean)

    @property
    def is_cut(self) -> bool:
        return self.shown < self.jobs

    @property
    def clean_runs(self) -> int:
        return sum(len(row.seen) for row in self.clean)


def run_checks(db: Session, filters: Filters) -> RunChecks:
    """Return the jobs with runs to review, at most 1,000."""
    found = [_job_row(row) for row in db.execute(_jobs(filters).limit(MOST_ROWS + 1))]
    if len(found) > MOST_ROWS:
        jobs, runs = _counts(db, filters)
    else:
        waiting = [len(row.seen) for row in found if row.seen]
        jobs, runs = len(waiting), sum(waiting)
    shown = found[:MOST_ROWS]
    return RunChecks(
        rows=tuple(row for row in shown if not row.clean),
        clean=tuple(row for row in shown if row.clean),
        jobs=jobs,
        runs=runs,
    )


def one_job(db: Session, job_id: int, *, reviewed_since: datetime | None = None) -> JobRow | None:
    """Return the row of one job, or None when nothing of it is to be shown."""
    row = db.execute(_jobs(Filters(reviewed_since=reviewed_since)).where(Job.id == job_id)).one_or_none()
    return _job_row(row) if row else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What the page can be narrowed to."""

    customers: tuple[tuple[int, str], ...]
    softwares: tuple[str, ...]


def choices(db: Session) -> Choices:
    """Return the customers and products of which runs wait."""
    waits = select(JobRun.job_id).where(waits_for_review())
    rows = db.execute(
        select(Customer.id, Customer.name, Job.backup_software)
        .join(Job, Job.customer_id == Customer.id)
        .where(*watched_jobs(), Job.id.in_(waits))
        .distinct()
    ).all()
    customers = {(row[0], row[1]) for row in rows}
    return Choices(
        customers=tuple(sorted(customers, key=lambda customer: customer[1].casefold())),
        softwares=tuple(sorted({row[2] for row in rows}, key=str.casefold)),
    )


def jobs_to_review(db: Session) -> int:
    """Return how many jobs have runs to review: the count in the navigation bar."""
    waits = (
        select(func.count(JobRun.job_id.distinct()))
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), waits_for_review())
    )
    return db.scalar(waits) or 0


def arrived_meanwhile(db: Session, on_screen: Iterable[int]) -> int:
    """Return how many unreviewed runs the jobs of the runs `on_screen` have beside those."""
    known = sorted(set(on_screen))
    jobs = select(JobRun.job_id).where(JobRun.id.in_(known))
    others = select(func.count()).where(JobRun.job_id.in_(jobs), waits_for_review(), JobRun.id.not_in(known))
    return db.scalar(others) or 0


def _is_clean() -> ColumnElement[bool]:
    """A clean success: certain of its job, as the mail said it, nothing to look at."""
    return and_(
        JobRun.status == Status.SUCCESS,
        JobRun.raw_status == Status.SUCCESS,
        JobRun.source == RunSource.MAIL,
        JobRun.matched_by != MatchedBy.PERSON,
        # What such a product does not say proves nothing.
        Job.kind != Kind.ALERT_ONLY,
    )


def _jobs(filters: Filters) -> Select[*tuple[Any, ...]]:
    rank = badness_of(JobRun.status)
    newest = (JobRun.run_at.desc(), JobRun.id.desc())
    waits = waits_for_review()
    latest_rank = func.array_agg(aggregate_order_by(rank, *newest))[1]
    return (
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
            func.array_agg(aggregate_order_by(waits, *newest)).label("waiting"),
            func.max(JobRun.run_at).label("last_run_at"),
            func.array_agg(aggregate_order_by(func.left(JobRun.message, 300), rank.desc(), *newest))[1].label("reason"),
            func.bool_and(and_(waits, _is_clean())).label("clean"),
        )
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), *_narrowed(filters))
        .group_by(Job.id, Customer.id)
        .having(and_(True, *_some_run_fits(filters)))
        # Of two jobs with the same worst run the one that is still bad comes first.
        .order_by(
            func.max(rank).desc(), latest_rank.desc(), func.lower(Customer.name), func.lower(Job.job_name), Job.id
        )
    )


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    waits: ColumnElement[bool] = waits_for_review()
    if filters.reviewed_since is not None:
        recent = select(Review.id).where(Review.reviewed_at >= filters.reviewed_since)
        waits = or_(waits, JobRun.review_id.in_(recent))
    conditions = [waits]
    if filters.customer_id is not None:
        conditions.append(Customer.id == filters.customer_id)
    if filters.software:
        conditions.append(Job.backup_software == filters.software)
    return conditions


def _some_run_fits(filters: Filters) -> list[ColumnElement[bool]]:
    searched = (Customer.name, Job.job_name, Job.backup_software, Job.backup_type, JobRun.message)
    conditions: list[ColumnElement[bool]] = [func.bool_or(contains(word, *searched)) for word in filters.text.split()]
    if filters.status is not None:
        conditions.append(func.bool_or(JobRun.status == filters.status))
    return conditions


def _counts(db: Session, filters: Filters) -> tuple[int, int]:
    rows = _jobs(filters).order_by(None).add_columns(func.count().filter(waits_for_review()).label("open"))
    fits = rows.subquery()
    waiting = select(func.count(), func.coalesce(func.sum(fits.c.open), 0)).where(fits.c.open > 0)
    jobs, runs = db.execute(waiting).one()
    return jobs, int(runs)


def _job_row(row: Row[Any]) -> JobRow:
    statuses = [Status(value) for value in row.statuses]
    kinds = sorted(set(statuses), key=badness, reverse=True)
    runs = list(zip(row.run_ids, row.versions, statuses, row.waiting, strict=True))
    return JobRow(
        job_id=row.job_id,
        customer_id=row.customer_id,
        customer=row.customer,
        job_name=row.job_name,
        software=row.backup_software,
        backup_type=row.backup_type,
        counts=tuple((status, statuses.count(status)) for status in kinds),
        last_run_at=row.last_run_at,
        reason=row.reason,
        seen=tuple((run_id, version) for run_id, version, _, waits in runs if waits),
        needs_reason=any(waits and status in NEEDS_REASON for _, _, status, waits in runs),
        clean=row.clean,
    )
