"""Stored rows as the values that parsers and decisions work on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.job_key import JobKey, job_key
from shared.domain.mail import Attachment, Mail
from shared.domain.reading import ObjectResult
from shared.domain.run_facts import RunFacts, unreadable_facts, why
from shared.domain.status import READABLE
from shared.models.mail import MailMessage, MailObject, MailReading
from shared.parsers.html import plain_text


def stored_mail(message: MailMessage) -> Mail:
    """Return the mail as it was when it came in."""
    return Mail(
        from_address=message.from_address,
        from_name=message.from_name,
        subject=message.subject,
        text=message.text_body,
        html=message.html_body,
        body=message.text_body if message.text_body.strip() else plain_text(message.html_body),
        sent_at=message.sent_at,
        received_at=message.received_at,
        received_source=message.received_source,
        message_id=message.message_id,
        attachments=tuple(
            Attachment(name=str(a["name"]), content_type=str(a["content_type"]), size=int(str(a["size"])))
            for a in message.attachments
        ),
        truncated=message.truncated,
    )


def stored_facts(db: Session, reading: MailReading) -> RunFacts:
    """Return what a run takes over from a stored reading; one without a verdict is unreadable."""
    if reading.status not in READABLE:
        return unreadable_facts(reading.reason)
    objects = tuple(
        ObjectResult(name=row.name, type=row.type, status=row.status, message=row.message, recovered=row.recovered)
        for row in db.scalars(select(MailObject).where(MailObject.reading_id == reading.id).order_by(MailObject.number))
    )
    return RunFacts(
        status=reading.status,
        message=reading.message or why(objects),
        objects=objects,
        objects_complete=reading.objects_complete,
        started_at=datetime.fromisoformat(reading.started_at) if reading.started_at else None,
        ended_at=datetime.fromisoformat(reading.ended_at) if reading.ended_at else None,
        size_bytes=reading.size_bytes,
    )


def stored_key(reading: MailReading) -> JobKey:
    """Return the key of a stored reading's facts."""
    return job_key(
        reading.from_address_key, reading.backup_software, reading.backup_type, reading.job_name, reading.origin
    )
