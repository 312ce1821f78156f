"""The content of stored mails: bodies for the sandboxed frame, bytes for the download."""

import zlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.mail import MailMessage, MailRaw


@dataclass(frozen=True, kw_only=True, slots=True)
class MailBody:
    """What a mail says; both may be empty."""

    subject: str
    text: str
    html: str


def mail_body(db: Session, mail_id: int) -> MailBody | None:
    """Return the bodies of a mail, or None when there is no such mail."""
    row = db.execute(
        select(MailMessage.subject, MailMessage.text_body, MailMessage.html_body).where(MailMessage.id == mail_id)
    ).one_or_none()
    return MailBody(subject=row[0], text=row[1], html=row[2]) if row else None


def raw_mail(db: Session, mail_id: int) -> bytes | None:
    """Return the mail as it was received, or None when it isn't kept (any more)."""
    content = db.scalar(select(MailRaw.content).where(MailRaw.mail_id == mail_id))
    return zlib.decompress(content) if content is not None else None
