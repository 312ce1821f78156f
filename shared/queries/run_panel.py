"""One run in full: what Run Checks' panel and a run's own page show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.models.users import User
from shared.queries.findings import Findings, first_findings
from shared.queries.missed_streaks import Streak, streaks
from shared.queries.objects import NO_OBJECTS, Objects, first_objects
from shared.queries.overridden import OVERRIDE
from shared.queries.override_of_run import OverrideOfRun, override_of_run
from shared.queries.run_objects import first_objects_of_run
from shared.queries.run_slot import Answered, AttemptRow, SlotOfRun, answered_by, attempts_of, slot_of
from shared.queries.runs_beside import (
    Changes,
    RunInList,
    changes_since_success,
    last_good_at,
    listed_runs,
    same_error_at,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewOfRun:
    """Who reviewed the run, when and why."""

    review_id: int
    user_id: int
    name: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MailOfRun:
    """The mail that the run came with, and what was read of it beside the verdict."""

    mail_id: int
    has_raw: bool
    subject: str
    from_address: str
    reading_number: int
    origin: str | None
    parser: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPanel:
    """A run with all that is known of it. Its attempts are part of it and have no panel of their own.

    `missed` are the missed slots that end with this run and that wait for a review, where it is one of them.
    """

    run_id: int
    job_id: int
    customer_id: int
    customer: str
    time_zone: str | None
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
    is_late: bool
    is_history: bool
    recovered_on: int | None
    override: OverrideOfRun | None
    slot: SlotOfRun | None
    answers: Answered | None
    attempts: tuple[AttemptRow, ...]
    review: ReviewOfRun | None
    mail: MailOfRun | None
    objects: Objects
    findings: Findings
    runs: tuple[RunInList, ...]  # newest first, each of the job that waits for a review is among them
    missed: Streak | None
    changes: Changes | None
    last_good_at: datetime | None
    same_error_at: datetime | None  # of the run just before, when it said the same

    @property
    def badge(self) -> str:
        return OVERRIDE if self.override else self.status.value

    @property
    def to_review(self) -> tuple[RunInList, ...]:
        return tuple(run for run in self.runs if run.waits)


def run_panel(db: Session, run_id: int) -> RunPanel | None:
    """Return everything about a run, or about the one that it is an attempt of; None when it doesn't exist."""
    row = db.execute(_run_with_its_mail(run_id)).one_or_none()
    if row is None:
        return None
    run: JobRun = row.JobRun
    runs, attempts = listed_runs(db, run.job_id), attempts_of(db, run)
    return RunPanel(
        **_facts(run, row.Job, row.Customer),
        override=override_of_run(db, run),
        slot=slot_of(db, run),
        answers=answered_by(db, run),
        attempts=attempts,
        review=_review(db, run),
        mail=_mail(row) if row.MailReading else None,
        objects=_objects(db, run, is_of_many=bool(attempts)),
        findings=first_findings(db, run.id),
        runs=runs,
        missed=_streak(db, run, runs),
        changes=changes_since_success(db, run),
        last_good_at=last_good_at(db, run),
        same_error_at=same_error_at(db, run),
    )


def _run_with_its_mail(run_id: int) -> Select[*tuple[Any, ...]]:
    asked = aliased(JobRun)
    whole = select(func.coalesce(asked.attempt_of_id, asked.id)).where(asked.id == run_id).scalar_subquery()
    return (
        select(
            JobRun,
            Job,
            Customer,
            MailReading,
            MailMessage.subject,
            MailMessage.from_address,
            MailRaw.mail_id.is_not(None).label("has_raw"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(MailReading, MailReading.id == JobRun.reading_id)
        .outerjoin(MailMessage, MailMessage.id == MailReading.mail_id)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .where(JobRun.id == whole)
    )


def _facts(run: JobRun, job: Job, customer: Customer) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "job_id": job.id,
        "customer_id": customer.id,
        "customer": customer.name,
        "time_zone": customer.time_zone,
        "job_name": job.job_name,
        "software": job.backup_software,
        "backup_type": job.backup_type,
        "kind": job.kind,
        "source": run.source,
        "matched_by": run.matched_by,
        "run_at": run.run_at,
        "status": run.status,
        "raw_status": run.raw_status,
        "message": run.message,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "size_bytes": run.size_bytes,
        "verdict_version": run.verdict_version,
        "is_late": run.is_late,
        "is_history": run.is_history,
        "recovered_on": run.recovered_on,
    }


def _mail(row: Row[Any]) -> MailOfRun:
    reading: MailReading = row.MailReading
    return MailOfRun(
        mail_id=reading.mail_id,
        has_raw=row.has_raw,
        subject=row.subject or "",
        from_address=row.from_address or "",
        reading_number=reading.number,
        origin=reading.origin,
        parser=reading.parser,
        evidence=tuple(reading.evidence),
    )


def _objects(db: Session, run: JobRun, *, is_of_many: bool) -> Objects:
    if run.reading_id is None:
        return NO_OBJECTS
    if is_of_many:
        return first_objects_of_run(db, run.id)
    return first_objects(db, [run.reading_id]).get(run.reading_id, NO_OBJECTS)


def _streak(db: Session, run: JobRun, runs: tuple[RunInList, ...]) -> Streak | None:
    if run.source is not RunSource.MISSED or run.reviewed_at is not None:
        return None
    slots = [each.run_at for each in runs if each.is_missed and each.waits and each.run_at <= run.run_at]
    return streaks(db, {(run.job_id, run.run_at): slots})[run.job_id, run.run_at] if slots else None


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
