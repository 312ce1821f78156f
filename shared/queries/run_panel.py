"""One run in full: what Run Checks' panel and a run's own page show."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import Status, badness, worst
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review, VanishedObject
from shared.models.mail import MailMessage, MailObject, MailReading
from shared.models.users import User
from shared.queries.inbox import ObjectRow

LISTED_RUNS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInList:
    """One run of the job, as the panel lists it."""

    run_id: int
    run_at: datetime
    status: Status
    verdict_version: int
    reviewed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """An object that vanished; confirmed as removed by `confirmed_by`, or still open."""

    name: str
    type: str
    confirmed_by: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is different from the last good run before this one."""

    since: datetime
    worse: tuple[str, ...]  # good then, not good now
    new: tuple[str, ...]  # not there then


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPanel:
    """A run with all that is known of it."""

    run_id: int
    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    kind: Kind
    source: RunSource
    matched_by: MatchedBy | None
    run_at: datetime
    status: Status
    raw_status: Status
    message: str
    started_at: datetime | None
    ended_at: datetime | None
    size_bytes: int | None
    verdict_version: int
    reviewed_at: datetime | None
    reviewed_by: str | None
    review_id: int | None
    review_reason: str | None
    mail_id: int | None
    mail_subject: str
    from_address: str
    origin: str | None
    parser: str | None
    evidence: tuple[str, ...]
    objects: tuple[ObjectRow, ...]  # problems first
    findings: tuple[Finding, ...]
    runs: tuple[RunInList, ...]  # newest first, every unreviewed one of the job is among them
    changes: Changes | None
    last_good_at: datetime | None
    same_error_before: bool

    @property
    def troubled(self) -> int:
        return sum(thing.status not in (Status.SUCCESS, Status.INFORMATIONAL) for thing in self.objects)

    @property
    def to_review(self) -> tuple[tuple[int, int], ...]:
        return tuple((run.run_id, run.verdict_version) for run in self.runs if not run.reviewed)


def run_panel(db: Session, run_id: int) -> RunPanel | None:
    """Return everything about a run, or None when it doesn't exist."""
    row = db.execute(
        select(JobRun, Job, Customer.name, MailReading, MailMessage.id, MailMessage.subject, MailMessage.from_address)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(MailReading, MailReading.id == JobRun.reading_id)
        .outerjoin(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(JobRun.id == run_id)
    ).one_or_none()
    if row is None:
        return None
    run, job, customer, reading, mail_id, subject, from_address = row
    objects = _objects(db, reading.id) if reading else ()
    last_good = _last_good(db, run)
    reviewed_by, review_reason = _review(db, run)
    return RunPanel(
        run_id=run.id,
        job_id=job.id,
        customer_id=job.customer_id,
        customer=customer,
        job_name=job.job_name,
        software=job.backup_software,
        backup_type=job.backup_type,
        kind=job.kind,
        source=run.source,
        matched_by=run.matched_by,
        run_at=run.run_at,
        status=run.status,
        raw_status=run.raw_status,
        message=run.message,
        started_at=run.started_at,
        ended_at=run.ended_at,
        size_bytes=run.size_bytes,
        verdict_version=run.verdict_version,
        reviewed_at=run.reviewed_at,
        reviewed_by=reviewed_by,
        review_id=run.review_id,
        review_reason=review_reason,
        mail_id=mail_id,
        mail_subject=subject or "",
        from_address=from_address or "",
        origin=reading.origin if reading else None,
        parser=reading.parser if reading else None,
        evidence=tuple(reading.evidence) if reading else (),
        objects=objects,
        findings=_findings(db, run.id),
        runs=_runs(db, job.id),
        changes=_changes(db, objects, last_good),
        last_good_at=last_good.run_at if last_good else None,
        same_error_before=_same_error_before(db, run),
    )


def newest_run_to_show(db: Session, job_id: int) -> int | None:
    """Return the run a job's panel opens with: the newest unreviewed one, else the newest."""
    return db.scalar(
        select(JobRun.id)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.reviewed_at.is_not(None), JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )


def day_strip(
    db: Session, job_id: int, *, zone: ZoneInfo, today: date, days: int = 30
) -> list[tuple[date, Status | None]]:
    """Return each of the last `days` local days, oldest first, with its worst verdict or None."""
    first = today - timedelta(days=days - 1)
    day = func.date(func.timezone(zone.key, JobRun.run_at))
    rows = db.execute(
        select(day, JobRun.status).where(JobRun.job_id == job_id, day >= first).group_by(day, JobRun.status)
    ).all()
    by_day: dict[date, list[Status]] = {}
    for when, status in rows:
        by_day.setdefault(when, []).append(status)
    every_day = (first + timedelta(days=number) for number in range(days))
    return [(each, worst(by_day[each]) if each in by_day else None) for each in every_day]


def _objects(db: Session, reading_id: int) -> tuple[ObjectRow, ...]:
    rows = db.scalars(select(MailObject).where(MailObject.reading_id == reading_id).order_by(MailObject.number))
    found = [
        ObjectRow(name=row.name, type=row.type, status=row.status, message=row.message, recovered=row.recovered)
        for row in rows
    ]
    return tuple(sorted(found, key=lambda thing: -badness(thing.status)))


def _runs(db: Session, job_id: int) -> tuple[RunInList, ...]:
    newest = (
        select(JobRun.id)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(LISTED_RUNS)
    )
    rows = db.execute(
        select(JobRun.id, JobRun.run_at, JobRun.status, JobRun.verdict_version, JobRun.reviewed_at.is_not(None))
        .where(JobRun.job_id == job_id, or_(JobRun.id.in_(newest), JobRun.reviewed_at.is_(None)))
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
    )
    return tuple(
        RunInList(run_id=run_id, run_at=run_at, status=status, verdict_version=version, reviewed=reviewed)
        for run_id, run_at, status, version, reviewed in rows
    )


def _findings(db: Session, run_id: int) -> tuple[Finding, ...]:
    rows = db.execute(
        select(VanishedObject.name, VanishedObject.type, User.username, VanishedObject.reason)
        .outerjoin(User, User.id == VanishedObject.confirmed_by)
        .where(VanishedObject.run_id == run_id)
        .order_by(VanishedObject.name)
    )
    return tuple(Finding(name=name, type=kind, confirmed_by=who, reason=why) for name, kind, who, why in rows)


def _review(db: Session, run: JobRun) -> tuple[str | None, str | None]:
    if run.review_id is None:
        return None, None
    row = db.execute(
        select(func.coalesce(func.nullif(User.display_name, ""), User.username), Review.reason)
        .join(User, User.id == Review.reviewed_by)
        .where(Review.id == run.review_id)
    ).one()
    return row[0], row[1]


def _last_good(db: Session, run: JobRun) -> JobRun | None:
    return db.scalar(
        select(JobRun)
        .where(JobRun.job_id == run.job_id, JobRun.status == Status.SUCCESS, JobRun.run_at < run.run_at)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )


def _changes(db: Session, objects: tuple[ObjectRow, ...], last_good: JobRun | None) -> Changes | None:
    if last_good is None or last_good.reading_id is None or not objects:
        return None
    good = (Status.SUCCESS, Status.INFORMATIONAL)
    before = {fold(thing.name): thing.status for thing in _objects(db, last_good.reading_id)}
    return Changes(
        since=last_good.run_at,
        worse=tuple(o.name for o in objects if o.status not in good and before.get(fold(o.name)) in good),
        new=tuple(o.name for o in objects if fold(o.name) not in before),
    )


def _same_error_before(db: Session, run: JobRun) -> bool:
    if run.status in (Status.SUCCESS, Status.INFORMATIONAL) or not run.message:
        return False
    before = (
        select(JobRun.message, JobRun.status)
        .where(JobRun.job_id == run.job_id, JobRun.run_at < run.run_at)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    return db.execute(before).one_or_none() == (run.message, run.status)
