"""Mails that people took out of the inbox."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Location
from shared.models.mail import MailMessage
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletedMail:
    """One deleted mail, by whom and why."""

    mail_id: int
    from_address: str
    from_name: str
    subject: str
    received_at: datetime
    deleted_at: datetime
    deleted_by: str | None
    delete_reason: str


def deleted_mails(db: Session, text: str, page: int) -> Page[DeletedMail]:
    """Return one page of the deleted mails, last deleted first."""
    searched = (MailMessage.from_address, MailMessage.from_name, MailMessage.subject, MailMessage.delete_reason)
    query = (
        select(
            MailMessage.id.label("mail_id"),
            MailMessage.from_address,
            MailMessage.from_name,
            MailMessage.subject,
            MailMessage.received_at,
            MailMessage.deleted_at,
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("deleted_by"),
            MailMessage.delete_reason,
        )
        .outerjoin(User, User.id == MailMessage.deleted_by)
        .where(MailMessage.location == Location.DELETED, *(contains(word, *searched) for word in text.split()))
    )
    total = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = existing_page(page, total)
    newest = query.order_by(MailMessage.deleted_at.desc(), MailMessage.id.desc())
    found = db.execute(newest.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(rows=tuple(DeletedMail(**row._asdict()) for row in found), number=number, total=total)
