"""The inbox: readings that wait for a person, one row each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, InboxReason
from shared.domain.status import Status
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page

WAITS = MailReading.outcome == Ending.INBOX


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxFilters:
    """What the list is narrowed to; empty parts don't narrow."""

    reason: InboxReason | None = None
    software: str = ""
    text: str = ""
    newest_first: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingReading:
    """One row of the inbox: the reading `number` (from 0) of `readings` that the mail has."""

    reading_id: int
    number: int
    mail_id: int
    from_address: str
    from_name: str
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """Where a mail stands among those that wait; the ids are None at the ends."""

    number: int
    total: int
    previous_id: int | None
    next_id: int | None


def waiting(db: Session, filters: InboxFilters, page: int) -> Page[WaitingReading]:
    """Return one page of the readings that wait; those of one mail stand together."""
    total = db.scalar(select(func.count()).select_from(_waiting(filters).subquery())) or 0
    number = existing_page(page, total)
    query = _waiting(filters).order_by(*_order(filters), MailReading.number)
    rows = db.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(rows=tuple(WaitingReading(**row._asdict()) for row in rows), number=number, total=total)


def waiting_rows(db: Session, reading_ids: Sequence[int]) -> tuple[WaitingReading, ...]:
    """Return those of these readings that wait, as the list shows them."""
    everything = InboxFilters()
    query = (
        _waiting(everything).where(MailReading.id.in_(reading_ids)).order_by(*_order(everything), MailReading.number)
    )
    return tuple(WaitingReading(**row._asdict()) for row in db.execute(query))


def waiting_count(db: Session) -> int:
    """Return how many readings wait for a person: the badge in the navigation bar."""
    return db.scalar(select(func.count()).select_from(MailReading).where(WAITS)) or 0


def waiting_softwares(db: Session) -> Sequence[str]:
    """Return the products of which something waits, for the filter."""
    software = func.coalesce(MailReading.backup_software, "")
    return db.scalars(select(software).where(WAITS, software != "").distinct().order_by(software)).all()


def waiting_mails(db: Session, after: int, most: int) -> Sequence[int]:
    """Return the mails that wait, by id, from the one behind `after` on."""
    behind = select(MailReading.mail_id).where(WAITS, MailReading.mail_id > after).distinct()
    return db.scalars(behind.order_by(MailReading.mail_id).limit(most)).all()


def waiting_mail_count(db: Session, after: int = 0) -> int:
    """Return how many mails wait, from the one behind `after` on."""
    behind = select(func.count(MailReading.mail_id.distinct())).where(WAITS, MailReading.mail_id > after)
    return db.scalar(behind) or 0


def mails_of(db: Session, reading_ids: Sequence[int]) -> Sequence[int]:
    """Return the mails of these readings."""
    of_readings = select(MailReading.mail_id).where(MailReading.id.in_(reading_ids)).distinct()
    return db.scalars(of_readings.order_by(MailReading.mail_id)).all()


def neighbours(db: Session, filters: InboxFilters, mail_id: int) -> Neighbours | None:
    """Return the mails beside this one in the list as it is filtered, or None when it isn't in it."""
    found = _waiting(filters).with_only_columns(MailMessage.id, MailMessage.received_at).distinct().subquery()
    order: list[ColumnElement[Any]] = [found.c.received_at, found.c.id]
    if filters.newest_first:
        order = [column.desc() for column in order]
    numbered = select(
        found.c.id,
        func.row_number().over(order_by=order).label("number"),
        func.count().over().label("total"),
        func.lag(found.c.id).over(order_by=order).label("previous_id"),
        func.lead(found.c.id).over(order_by=order).label("next_id"),
    ).subquery()
    row = db.execute(select(numbered).where(numbered.c.id == mail_id)).one_or_none()
    if row is None:
        return None
    return Neighbours(number=row.number, total=row.total, previous_id=row.previous_id, next_id=row.next_id)


def next_waiting(db: Session, filters: InboxFilters, mail_id: int) -> int | None:
    """Return this mail if it still waits, else the one behind it in the list, else the first of the list."""
    place = select(MailMessage.received_at, MailMessage.id).where(MailMessage.id == mail_id).subquery()
    here, there = tuple_(MailMessage.received_at, MailMessage.id), tuple_(place.c.received_at, place.c.id)
    not_before = here <= there if filters.newest_first else here >= there
    mails = _waiting(filters).with_only_columns(MailMessage.id).join(place, true())
    return db.scalar(mails.order_by(not_before.desc(), *_order(filters)).limit(1))


def _order(filters: InboxFilters) -> tuple[ColumnElement[Any], ...]:
    if filters.newest_first:
        return MailMessage.received_at.desc(), MailMessage.id.desc()
    return MailMessage.received_at.asc(), MailMessage.id.asc()


def _waiting(filters: InboxFilters) -> Select[*tuple[Any, ...]]:
    return (
        select(
            MailReading.id.label("reading_id"),
            MailReading.number,
            MailMessage.id.label("mail_id"),
            MailMessage.from_address,
            MailMessage.from_name,
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
        .where(WAITS, *_narrowed(filters))
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
    searched = (MailMessage.from_address, MailMessage.from_name, MailMessage.subject, *named)
    conditions.extend(contains(word, *searched) for word in filters.text.split())
    return conditions
