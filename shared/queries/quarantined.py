"""Deliveries that could not be handled as mails, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Source
from shared.models.mail import MailMessage, MailReading
from shared.queries.rows import PAGE_SIZE, Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantinedMail:
    """One of them; `name` is that of its file, where it had one."""

    mail_id: int
    name: str
    received_at: datetime
    source: Source
    reason: str


def quarantined_count(db: Session) -> int:
    return db.scalar(select(func.count()).where(MailReading.outcome == Ending.QUARANTINED)) or 0


def quarantined_mails(db: Session, page: int) -> Page[QuarantinedMail]:
    """Return one page of what is quarantined, last imported first."""
    total = quarantined_count(db)
    number = existing_page(page, total)
    found = db.execute(_quarantined().limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return Page(rows=tuple(QuarantinedMail(**row._asdict()) for row in found), number=number, total=total)


def quarantined_among(db: Session, mail_ids: Sequence[int]) -> tuple[QuarantinedMail, ...]:
    """Return those of these mails that are quarantined."""
    found = db.execute(_quarantined().where(MailMessage.id.in_(mail_ids)))
    return tuple(QuarantinedMail(**row._asdict()) for row in found)


def _quarantined() -> Select[*tuple[Any, ...]]:
    return (
        select(
            MailMessage.id.label("mail_id"),
            MailMessage.subject.label("name"),
            MailMessage.received_at,
            MailMessage.source,
            MailReading.reason,
        )
        .join(MailReading, MailReading.mail_id == MailMessage.id)
        .where(MailReading.outcome == Ending.QUARANTINED)
        .order_by(MailMessage.imported_at.desc(), MailMessage.id.desc())
    )
