"""The content of stored mails: bodies for the sandboxed frame, bytes for the download."""

import zlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Location
from shared.models.mail import MailMessage, MailRaw


@dataclass(frozen=True, kw_only=True, slots=True)
class MailBody:
    """What a mail says; both bodies may be empty."""

    subject: str
    text: str
    html: str
    deleted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RawMail:
    """A mail as it was received; None when it isn't kept (any more)."""

    subject: str
    content: bytes | None
    deleted: bool


def mail_body(db: Session, mail_id: int) -> MailBody | None:
    """Return the bodies of a mail, or None when there is no such mail."""
    row = db.execute(
        select(MailMessage.subject, MailMessage.text_body, MailMessage.html_body, MailMessage.location).where(
            MailMessage.id == mail_id
        )
    ).one_or_none()
    if row is None:
        return None
    return MailBody(subject=row[0], text=row[1], html=row[2], deleted=row[3] is Location.DELETED)


def raw_mail(db: Session, mail_id: int) -> RawMail | None:
    """Return the original of a mail, or None when there is no such mail."""
    row = db.execute(
        select(MailMessage.subject, MailMessage.location, MailRaw.content)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .where(MailMessage.id == mail_id)
    ).one_or_none()
    if row is None:
        return None
    content = zlib.decompress(row[2]) if row[2] is not None else None
    return RawMail(subject=row[0], content=content, deleted=row[1] is Location.DELETED)
