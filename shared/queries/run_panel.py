"""One run in full: what Run Checks' panel and a run's own page show."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import RESTORABLE, Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review, waits_for_review
from shared.models.mail import MailMessage, MailObject, MailRaw, MailReading
from shared.models.users import User
from shared.queries.findings import Findings, first_findings
from shared.queries.objects import GOOD, NO_OBJECTS, WORST_FIRST, Objects, first_objects

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
class Changes:
    """What is different from the last success before this run."""

    since: datetime
    worse: tuple[str, ...]  # good then, not good now
    new: tuple[str, ...]  # not there then


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewOfRun:
    """Who reviewed the run, when and why."""

    review_id: int
    user_id: int
    name: str
    at: datetime
    reason: str


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
    review: ReviewOfRun | None
    mail_id: int | None
    has_raw: bool
    mail_subject: str
    from_address: str
    origin: str | None
    parser: str | None
    evidence: tuple[str, ...]
    reading_number: int | None
    objects: Objects
    findings: Findings
    runs: tuple[RunInList, ...]  # newest first, every unreviewed one of the job is among them
    changes: Changes | None
    last_good_at: datetime | None
    same_error_at: datetime | None  # of the run just before, when it said the same

    @property
    def to_review(self) -> tuple[RunInList, ...]:
        return tuple(run for run in self.runs if not run.reviewed)


def run_panel(db: Session, run_id: int) -> RunPanel | None:
    """Return everything about a run, or None when it doesn't exist."""
    row = db.execute(
        select(
            JobRun,
            Job,
            Customer.name,
            MailReading,
            MailMessage.id,
            MailMessage.subject,
            MailMessage.from_address,
            MailRaw.mail_id.is_not(None),
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(MailReading, MailReading.id == JobRun.reading_id)
        .outerjoin(MailMessage, MailMessage.id == MailReading.mail_id)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .where(JobRun.id == run_id)
    ).one_or_none()
    if row is None:
        return None
    run, job, customer, reading, mail_id, subject, from_address, has_raw = row
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
        review=_review(db, run),
        mail_id=mail_id,
        has_raw=has_raw,
        mail_subject=subject or "",
        from_address=from_address or "",
        origin=reading.origin if reading else None,
        parser=reading.parser if reading else None,
        evidence=tuple(reading.evidence) if reading else (),
        reading_number=reading.number if reading else None,
        objects=first_objects(db, [reading.id]).get(reading.id, NO_OBJECTS) if reading else NO_OBJECTS,
        findings=first_findings(db, run.id),
        runs=_runs(db, job.id),
        changes=_changes(db, run, _last_success(db, run)),
        last_good_at=_last_good_at(db, run),
        same_error_at=_same_error_at(db, run),
    )


def run_exists(db: Session, run_id: int) -> bool:
    return db.scalar(select(JobRun.id).where(JobRun.id == run_id)) is not None


def newest_run_to_show(db: Session, job_id: int) -> int | None:
    """Return the run a job's panel opens with: the newest unreviewed one, else the newest."""
    return db.scalar(
        select(JobRun.id)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.reviewed_at.is_not(None), JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )


def _runs(db: Session, job_id: int) -> tuple[RunInList, ...]:
    newest = (
        select(JobRun.id)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(LISTED_RUNS)
    )
    rows = db.execute(
        select(JobRun.id, JobRun.run_at, JobRun.status, JobRun.verdict_version, JobRun.reviewed_at.is_not(None))
        .where(JobRun.job_id == job_id, or_(JobRun.id.in_(newest), waits_for_review()))
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
    )
    return tuple(
        RunInList(run_id=run_id, run_at=run_at, status=status, verdict_version=version, reviewed=reviewed)
        for run_id, run_at, status, version, reviewed in rows
    )


def _review(db: Session, run: JobRun) -> ReviewOfRun | None:
    if run.review_id is None:
        return None
    row = db.execute(
        select(Review, func.coalesce(func.nullif(User.display_name, ""), User.username))
        .join(User, User.id == Review.reviewed_by)
        .where(Review.id == run.review_id)
    ).one()
    review = row[0]
    return ReviewOfRun(
        review_id=review.id,
        user_id=review.reviewed_by,
        name=row[1],
        at=review.reviewed_at,
        reason=review.reason or "",
    )


def _last_success(db: Session, run: JobRun) -> JobRun | None:
    return db.scalar(
        select(JobRun)
        .where(JobRun.job_id == run.job_id, JobRun.status == Status.SUCCESS, JobRun.run_at < run.run_at)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )


def _last_good_at(db: Session, run: JobRun) -> datetime | None:
    return db.scalar(
        select(func.max(JobRun.run_at)).where(
            JobRun.job_id == run.job_id, JobRun.raw_status.in_(RESTORABLE), JobRun.run_at < run.run_at
        )
    )


def _changes(db: Session, run: JobRun, success: JobRun | None) -> Changes | None:
    if success is None or success.reading_id is None or run.reading_id is None:
        return None
    now = _statuses(db, run.reading_id)
    if not now:
        return None
    before = {fold(name): status for name, status in _statuses(db, success.reading_id)}
    return Changes(
        since=success.run_at,
        worse=tuple(name for name, status in now if status not in GOOD and before.get(fold(name)) in GOOD),
        new=tuple(name for name, _ in now if fold(name) not in before),
    )


def _statuses(db: Session, reading_id: int) -> list[tuple[str, Status]]:
    """Return the names of a reading's objects and how they went, the worst first."""
    rows = db.execute(
        select(MailObject.name, MailObject.status).where(MailObject.reading_id == reading_id).order_by(*WORST_FIRST)
    )
    return [(name, status) for name, status in rows]


def _same_error_at(db: Session, run: JobRun) -> datetime | None:
    if run.status in GOOD or not run.message:
        return None
    before = db.execute(
        select(JobRun.run_at, JobRun.message, JobRun.status)
        .where(JobRun.job_id == run.job_id, JobRun.run_at < run.run_at)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    ).one_or_none()
    same = before is not None and (before.message, before.status) == (run.message, run.status)
    return before.run_at if before is not None and same else None
