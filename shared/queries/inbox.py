"""The inbox: readings that wait for a person, and the mails beside them that need none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, InboxReason, Location, Source
from shared.domain.reading import Kind
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage, MailObject, MailRaw, MailReading
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, contains


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxFilters:
    """What the list is narrowed to; empty parts don't narrow."""

    reason: InboxReason | None = None
    software: str = ""
    text: str = ""
    newest_first: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingReading:
    """One row of the inbox. `readings` counts what the mail reports in all."""

    reading_id: int
    mail_id: int
    from_address: str
    subject: str
    received_at: datetime
    software: str | None
    backup_type: str | None
    job_name: str | None
    origin: str | None
    status: Status | None
    inbox_reason: InboxReason
    reason: str
    has_raw: bool
    readings: int


def waiting(db: Session, filters: InboxFilters, page: int) -> Page[WaitingReading]:
    """Return one page of the readings that wait."""
    order = MailMessage.received_at.desc() if filters.newest_first else MailMessage.received_at
    query = _waiting(filters).order_by(order, MailReading.id).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    rows = db.execute(query).all()
    total = db.scalar(select(func.count()).select_from(_waiting(filters).subquery())) or 0
    return Page(rows=tuple(WaitingReading(**row._asdict()) for row in rows), number=page, total=total)


def waiting_count(db: Session) -> int:
    """Return how many mails wait for a person: the badge in the navigation bar."""
    waits = select(func.count()).select_from(MailMessage).where(MailMessage.location == Location.INBOX)
    return db.scalar(waits) or 0


def waiting_softwares(db: Session) -> Sequence[str | None]:
    """Return the products of which something waits, for the filter."""
    return db.scalars(
        select(MailReading.backup_software)
        .where(MailReading.outcome == Ending.INBOX, MailReading.backup_software.is_not(None))
        .distinct()
        .order_by(MailReading.backup_software)
    ).all()


def _waiting(filters: InboxFilters) -> Select[*tuple[Any, ...]]:
    return (
        select(
            MailReading.id.label("reading_id"),
            MailMessage.id.label("mail_id"),
            MailMessage.from_address,
            MailMessage.subject,
            MailMessage.received_at,
            MailReading.backup_software.label("software"),
            MailReading.backup_type,
            MailReading.job_name,
            MailReading.origin,
            MailReading.status,
            MailReading.inbox_reason,
            MailReading.reason,
            MailRaw.mail_id.is_not(None).label("has_raw"),
            _reading_count().label("readings"),
        )
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .where(MailReading.outcome == Ending.INBOX, *_narrowed(filters))
    )


def _reading_count() -> ColumnElement[int]:
    every = MailReading.__table__.alias("every")
    return select(func.count()).select_from(every).where(every.c.mail_id == MailMessage.id).scalar_subquery()


def _narrowed(filters: InboxFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.reason is not None:
        conditions.append(MailReading.inbox_reason == filters.reason)
    if filters.software:
        conditions.append(MailReading.backup_software == filters.software)
    named = (func.coalesce(MailReading.job_name, ""), func.coalesce(MailReading.origin, ""))
    conditions.extend(
        contains(word, MailMessage.from_address, MailMessage.subject, *named) for word in filters.text.split()
    )
    return conditions


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRow:
    """One object of a reading."""

    name: str
    type: str
    status: Status
    message: str
    recovered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingDetail:
    """One reading of a mail with its outcome and objects."""

    reading_id: int
    number: int
    outcome: Ending
    inbox_reason: InboxReason | None
    reason: str
    could_be: tuple[tuple[int, str], ...]  # (job id, "customer › job")
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
    job_id: int | None
    run_id: int | None
    same_key_waiting: int
    objects: tuple[ObjectRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailDetail:
    """One mail with all its readings."""

    mail_id: int
    source: Source
    from_address: str
    from_name: str
    subject: str
    received_at: datetime
    received_source: str
    sent_at: datetime | None
    imported_at: datetime
    location: Location
    has_html: bool
    has_text: bool
    has_raw: bool
    truncated: bool
    message_id_seen_before: bool
    duplicate_of_id: int | None
    duplicate_undone: bool
    deleted_at: datetime | None
    deleted_by: str | None
    delete_reason: str
    attachments: tuple[str, ...]
    readings: tuple[ReadingDetail, ...]


def mail_detail(db: Session, mail_id: int) -> MailDetail | None:
    """Return a mail with its readings, or None."""
    message = db.get(MailMessage, mail_id)
    if message is None:
        return None
    deleter = db.get(User, message.deleted_by) if message.deleted_by else None
    has_raw = db.scalar(select(MailRaw.mail_id).where(MailRaw.mail_id == mail_id)) is not None
    return MailDetail(
        mail_id=message.id,
        source=message.source,
        from_address=message.from_address,
        from_name=message.from_name,
        subject=message.subject,
        received_at=message.received_at,
        received_source=message.received_source,
        sent_at=message.sent_at,
        imported_at=message.imported_at,
        location=message.location,
        has_html=bool(message.html_body.strip()),
        has_text=bool(message.text_body.strip()),
        has_raw=has_raw,
        truncated=message.truncated,
        message_id_seen_before=message.message_id_seen_before,
        duplicate_of_id=message.duplicate_of_id,
        duplicate_undone=message.duplicate_undone,
        deleted_at=message.deleted_at,
        deleted_by=deleter.username if deleter else None,
        delete_reason=message.delete_reason,
        attachments=tuple(str(each["name"]) for each in message.attachments),
        readings=_readings(db, mail_id),
    )


def _readings(db: Session, mail_id: int) -> tuple[ReadingDetail, ...]:
    rows = db.execute(
        select(MailReading, JobRun.id)
        .outerjoin(JobRun, JobRun.reading_id == MailReading.id)
        .where(MailReading.mail_id == mail_id)
        .order_by(MailReading.number)
    ).all()
    objects = _objects(db, [reading.id for reading, _ in rows])
    jobs = _job_names(db, {job_id for reading, _ in rows for job_id in reading.could_be})
    return tuple(
        ReadingDetail(
            reading_id=reading.id,
            number=reading.number,
            outcome=reading.outcome,
            inbox_reason=reading.inbox_reason,
            reason=reading.reason,
            could_be=tuple((job_id, jobs[job_id]) for job_id in reading.could_be if job_id in jobs),
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
            job_id=reading.job_id,
            run_id=run_id,
            same_key_waiting=_same_key_waiting(db, reading),
            objects=objects.get(reading.id, ()),
        )
        for reading, run_id in rows
    )


def _objects(db: Session, reading_ids: Sequence[int]) -> dict[int, tuple[ObjectRow, ...]]:
    found: dict[int, list[ObjectRow]] = {}
    query = select(MailObject).where(MailObject.reading_id.in_(reading_ids)).order_by(MailObject.number)
    for row in db.scalars(query):
        thing = ObjectRow(name=row.name, type=row.type, status=row.status, message=row.message, recovered=row.recovered)
        found.setdefault(row.reading_id, []).append(thing)
    return {reading_id: tuple(things) for reading_id, things in found.items()}


def _job_names(db: Session, job_ids: set[int]) -> dict[int, str]:
    rows = db.execute(
        select(Job.id, Customer.name, Job.job_name)
        .join(Customer, Customer.id == Job.customer_id)
        .where(Job.id.in_(job_ids))
    )
    return {job_id: f"{customer} › {job_name}" for job_id, customer, job_name in rows}


def _same_key_waiting(db: Session, reading: MailReading) -> int:
    """Return how many other readings with the same facts wait; names are compared here as they were spelled."""
    if reading.outcome is not Ending.INBOX or reading.status is None:
        return 0
    same = select(func.count()).where(
        MailReading.outcome == Ending.INBOX,
        MailReading.from_address_key == reading.from_address_key,
        MailReading.backup_software == reading.backup_software,
        MailReading.backup_type == reading.backup_type,
        MailReading.job_name.is_not_distinct_from(reading.job_name),
        MailReading.origin.is_not_distinct_from(reading.origin),
        MailReading.status.is_not(None),
        MailReading.id != reading.id,
    )
    return db.scalar(same) or 0
