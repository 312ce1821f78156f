"""One job: its facts, the keys by which its mails are known, and its runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.job_key import KeyStanding
from shared.domain.run import RunSource
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.users import User
from shared.queries.archived_jobs import StillReporting, still_reporting
from shared.queries.jobs import JobRow, job_rows
from shared.queries.overridden import is_overridden
from shared.queries.rows import PAGE_SIZE, Page, existing_page


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
    """One run in a job's history. `attempts` counts its further mails, which are part of it."""

    run_id: int
    run_at: datetime
    source: RunSource
    status: Status
    raw_status: Status
    is_overridden: bool
    message: str
    started_at: datetime | None
    ended_at: datetime | None
    size_bytes: int | None
    is_late: bool
    is_history: bool
    recovered_on: int | None
    attempts: int
    reviewed_at: datetime | None
    reviewed_by: str | None


def job_runs(db: Session, job_id: int, page: int) -> Page[JobRunRow]:
    """Return one page of a job's runs, newest first."""
    whole = (JobRun.job_id == job_id, JobRun.attempt_of_id.is_(None))
    total = db.scalar(select(func.count()).where(*whole)) or 0
    attempt = aliased(JobRun)
    number = existing_page(page, total)
    found = db.execute(
        select(
            JobRun.id.label("run_id"),
            JobRun.run_at,
            JobRun.source,
            JobRun.status,
            JobRun.raw_status,
            is_overridden().label("is_overridden"),
            func.left(JobRun.message, 300).label("message"),
            JobRun.started_at,
            JobRun.ended_at,
            JobRun.size_bytes,
            JobRun.is_late,
            JobRun.is_history,
            JobRun.recovered_on,
            select(func.count()).where(attempt.attempt_of_id == JobRun.id).scalar_subquery().label("attempts"),
            JobRun.reviewed_at,
            _shown(User).label("reviewed_by"),
        )
        .outerjoin(User, User.id == JobRun.reviewed_by)
        .where(*whole)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(rows=tuple(JobRunRow(**row._asdict()) for row in found), number=number, total=total)
