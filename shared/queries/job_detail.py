"""One job: its facts, the keys by which its mails are known, its runs and its days."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.job_key import KeyStanding
from shared.domain.run import RunSource
from shared.domain.status import Status, badness
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.users import User
from shared.queries.archived_jobs import StillReporting, still_reporting
from shared.queries.jobs import JobRow, job_rows
from shared.queries.rows import PAGE_SIZE, Page, badness_of, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRow:
    """One key by which the job's mails are known."""

    from_address: str
    software: str
    backup_type: str
    job_name: str
    origin: str
    standing: KeyStanding


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
    reporting: StillReporting


def job_detail(db: Session, job_id: int) -> JobDetail | None:
    """Return one job, archived or not, or None."""
    found = db.execute(job_rows((Job.id == job_id,))).one_or_none()
    if found is None:
        return None
    creator, archiver = aliased(User), aliased(User)
    facts = db.execute(
        select(Customer.active, Customer.time_zone, Job.created_at, _shown(creator), _shown(archiver))
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(creator, creator.id == Job.created_by)
        .outerjoin(archiver, archiver.id == Job.archived_by)
        .where(Job.id == job_id)
    ).one()
    return JobDetail(
        row=JobRow(**found._asdict()),
        customer_active=facts[0],
        time_zone=facts[1],
        created_at=facts[2],
        created_by=facts[3],
        archived_by=facts[4],
        keys=_keys(db, job_id),
        reporting=still_reporting(db, [job_id]).get(job_id, StillReporting()),
    )


def _shown(user: type[User]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(user.display_name, ""), user.username)


def _keys(db: Session, job_id: int) -> tuple[KeyRow, ...]:
    rows = db.scalars(select(JobKeyRow).where(JobKeyRow.job_id == job_id).order_by(JobKeyRow.id))
    return tuple(
        KeyRow(
            from_address=row.from_address,
            software=row.backup_software,
            backup_type=row.backup_type,
            job_name=row.job_name,
            origin=row.origin_shown or row.origin,
            standing=row.standing,
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
    total = db.scalar(select(func.count()).where(JobRun.job_id == job_id)) or 0
    number = existing_page(page, total)
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
            _shown(User).label("reviewed_by"),
        )
        .outerjoin(User, User.id == JobRun.reviewed_by)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(rows=tuple(JobRunRow(**row._asdict()) for row in found), number=number, total=total)


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryDay:
    """One day of a job in the zone of the pages; a day without runs has no status."""

    day: date
    status: Status | None
    runs: int


def job_history(db: Session, job_id: int, last: date, zone: ZoneInfo, days: int = 90) -> list[HistoryDay]:
    """Return the worst verdict of each of the `days` days up to `last`, oldest first."""
    first = last - timedelta(days=days - 1)
    day = func.date(func.timezone(zone.key, JobRun.run_at))
    found = db.execute(
        select(day, func.max(badness_of(JobRun.status)), func.count())
        .where(
            JobRun.job_id == job_id,
            JobRun.run_at >= datetime.combine(first, time.min, zone),
            JobRun.run_at < datetime.combine(last + timedelta(days=1), time.min, zone),
        )
        .group_by(day)
    )
    judged = {when: HistoryDay(day=when, status=_BY_BADNESS[worst], runs=runs) for when, worst, runs in found}
    everyday = (first + timedelta(days=number) for number in range(days))
    return [judged.get(each) or HistoryDay(day=each, status=None, runs=0) for each in everyday]


_BY_BADNESS = {badness(status): status for status in Status}
