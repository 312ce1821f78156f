"""One mail with everything that was read in it and what became of that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.job_key import JobKey, job_key
from shared.domain.mailflow import Ending, InboxReason, Location, Source
from shared.domain.reading import Kind
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.models.users import User
from shared.queries.objects import NO_OBJECTS, Objects, first_objects


@dataclass(frozen=True, kw_only=True, slots=True)
class JobName:
    """A job as people call it."""

    job_id: int
    customer: str
    job_name: str
    software: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingDetail:
    """One reading of a mail with its outcome and objects. `same_job_waiting` counts the others with its key."""

    reading_id: int
    number: int
    outcome: Ending
    inbox_reason: InboxReason | None
    reason: str
    could_be: tuple[JobName, ...]
    parser: str | None
    software: str | None
    backup_type: str | None
    job_name: str | None
    origin: str | None
    kind: Kind | None
    status: Status | None
    message: str
    evidence: tuple[str, ...]
    started_at: str | None
    ended_at: str | None
    size_bytes: int | None
    job: JobName | None
    run_id: int | None
    same_job_waiting: int
    objects: Objects

    @property
    def waits(self) -> bool:
        return self.outcome is Ending.INBOX


@dataclass(frozen=True, kw_only=True, slots=True)
class MailDetail:
    """One mail with all its readings. `sender_serves` counts the customers that have jobs of its sender."""

    mail_id: int
    source: Source
    file_name: str
    from_address: str
    from_name: str
    subject: str
    received_at: datetime
    received_source: str
    sent_at: datetime | None
    imported_at: datetime
    location: Location
    has_raw: bool
    truncated: bool
    message_id_seen_before: bool
    duplicate_of_id: int | None
    duplicate_undone: bool
    deleted_at: datetime | None
    deleted_by: str | None
    delete_reason: str
    attachments: tuple[str, ...]
    sender_serves: int
    readings: tuple[ReadingDetail, ...]

    @property
    def quarantined(self) -> bool:
        return any(reading.outcome is Ending.QUARANTINED for reading in self.readings)


def mail_detail(db: Session, mail_id: int) -> MailDetail | None:
    """Return a mail with its readings, or None. As many statements for one reading as for fifty."""
    found = db.execute(
        select(MailMessage, MailRaw.mail_id.is_not(None), User.username)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .outerjoin(User, User.id == MailMessage.deleted_by)
        .where(MailMessage.id == mail_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    message, has_raw, deleted_by = found
    readings = _readings(db, mail_id)
    return MailDetail(
        mail_id=message.id,
        source=message.source,
        file_name=message.file_name,
        from_address=message.from_address,
        from_name=message.from_name,
        subject=message.subject,
        received_at=message.received_at,
        received_source=message.received_source,
        sent_at=message.sent_at,
        imported_at=message.imported_at,
        location=message.location,
        has_raw=has_raw,
        truncated=message.truncated,
        message_id_seen_before=message.message_id_seen_before,
        duplicate_of_id=message.duplicate_of_id,
        duplicate_undone=message.duplicate_undone,
        deleted_at=message.deleted_at,
        deleted_by=deleted_by,
        delete_reason=message.delete_reason,
        attachments=tuple(str(each["name"]) or "unnamed" for each in message.attachments),
        sender_serves=_customers_of(db, readings[0][0].from_address_key) if readings else 0,
        readings=_details(db, readings),
    )


def _readings(db: Session, mail_id: int) -> list[tuple[MailReading, int | None]]:
    rows = db.execute(
        select(MailReading, JobRun.id)
        .outerjoin(JobRun, JobRun.reading_id == MailReading.id)
        .where(MailReading.mail_id == mail_id)
        .order_by(MailReading.number)
        .execution_options(populate_existing=True)
    )
    return [(reading, run_id) for reading, run_id in rows]


def _details(db: Session, rows: Sequence[tuple[MailReading, int | None]]) -> tuple[ReadingDetail, ...]:
    readings = [reading for reading, _ in rows]
    objects = first_objects(db, [reading.id for reading in readings])
    jobs = _jobs(db, {job_id for reading in readings for job_id in (reading.job_id, *reading.could_be) if job_id})
    same = _waiting_by_key(db, [reading for reading in readings if reading.outcome is Ending.INBOX])
    return tuple(
        ReadingDetail(
            reading_id=reading.id,
            number=reading.number,
            outcome=reading.outcome,
            inbox_reason=reading.inbox_reason,
            reason=reading.reason,
            could_be=tuple(jobs[job_id] for job_id in reading.could_be if job_id in jobs),
            parser=reading.parser,
            software=reading.backup_software,
            backup_type=reading.backup_type,
            job_name=reading.job_name,
            origin=reading.origin,
            kind=reading.kind,
            status=reading.status,
            message=reading.message,
            evidence=tuple(reading.evidence),
            started_at=reading.started_at,
            ended_at=reading.ended_at,
            size_bytes=reading.size_bytes,
            job=jobs.get(reading.job_id) if reading.job_id else None,
            run_id=run_id,
            same_job_waiting=len(same.get(_key(reading), set()) - {reading.id}),
            objects=objects.get(reading.id, NO_OBJECTS),
        )
        for reading, run_id in rows
    )


def _jobs(db: Session, job_ids: Iterable[int]) -> dict[int, JobName]:
    rows = db.execute(
        select(Job.id, Customer.name, Job.job_name, Job.backup_software)
        .join(Customer, Customer.id == Job.customer_id)
        .where(Job.id.in_(job_ids))
    )
    return {row[0]: JobName(job_id=row[0], customer=row[1], job_name=row[2], software=row[3]) for row in rows}


def _customers_of(db: Session, sender: str) -> int:
    customers = (
        select(func.count(Job.customer_id.distinct()))
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(JobKeyRow.from_address == sender)
    )
    return db.scalar(customers) or 0


def _waiting_by_key(db: Session, readings: Sequence[MailReading]) -> dict[JobKey, set[int]]:
    """Return the waiting readings of these readings' sender, by the key that approving compares."""
    rows = db.execute(
        select(
            MailReading.id,
            MailReading.from_address_key,
            MailReading.backup_software,
            MailReading.backup_type,
            MailReading.job_name,
            MailReading.origin,
        ).where(
            MailReading.from_address_key.in_({reading.from_address_key for reading in readings}),
            MailReading.outcome == Ending.INBOX,
            MailReading.inbox_reason.in_((InboxReason.NEW_JOB, InboxReason.AMBIGUOUS)),
            MailReading.status.is_not(None),
        )
    )
    found: dict[JobKey, set[int]] = {}
    for reading_id, sender, software, backup_type, job_name, origin in rows:
        key = job_key(sender, software, backup_type, job_name, origin)
        found.setdefault(key, set()).add(reading_id)
    return found


def _key(reading: MailReading) -> JobKey:
    return job_key(
        reading.from_address_key, reading.backup_software, reading.backup_type, reading.job_name, reading.origin
    )
