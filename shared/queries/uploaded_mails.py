"""What became of mails that a person has just sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, InboxReason, Location, Source
from shared.models.mail import MailMessage, MailReading


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadedMail:
    """A mail and how each of its readings ended."""

    mail_id: int
    file_name: str
    subject: str
    waits: bool
    deleted: bool
    duplicate_of_id: int | None
    outcomes: tuple[tuple[Ending, InboxReason | None, str], ...]


def uploaded_mails(db: Session, mail_ids: Sequence[int]) -> tuple[UploadedMail, ...]:
    """Return these of the uploaded mails, in the order given."""
    rows = db.execute(
        select(MailMessage, MailReading)
        .join(MailReading, MailReading.mail_id == MailMessage.id)
        .where(MailMessage.id.in_(mail_ids), MailMessage.source == Source.UPLOAD)
        .order_by(MailReading.number)
    )
    messages: dict[int, MailMessage] = {}
    outcomes: dict[int, list[tuple[Ending, InboxReason | None, str]]] = {}
    for message, reading in rows:
        messages[message.id] = message
        outcomes.setdefault(message.id, []).append((reading.outcome, reading.inbox_reason, reading.reason))
    return tuple(
        UploadedMail(
            mail_id=mail_id,
            file_name=messages[mail_id].file_name,
            subject=messages[mail_id].subject,
            waits=messages[mail_id].location is Location.INBOX,
            deleted=messages[mail_id].location is Location.DELETED,
            duplicate_of_id=messages[mail_id].duplicate_of_id,
            outcomes=tuple(outcomes[mail_id]),
        )
        for mail_id in dict.fromkeys(mail_ids)
        if mail_id in messages
    )
