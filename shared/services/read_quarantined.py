"""Reads quarantined mails again. Their bytes are kept: today's code may see a mail where an earlier one saw none."""

import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.domain.identity import report_hash
from shared.domain.mail import Mail
from shared.domain.mailflow import Ending, Location
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.parsers.eml import NotAMail, mail_from_eml
from shared.services.route_mail import carry_out, plan_mail

log = logging.getLogger(__name__)


def read_quarantined(db: Session, mail_ids: Sequence[int]) -> int:
    """Read those of these mails that are quarantined; return how many are mails now. The others say why not."""
    quarantined = db.scalars(
        select(MailMessage)
        .join(MailReading, MailReading.mail_id == MailMessage.id)
        .where(MailMessage.id.in_(mail_ids), MailReading.outcome == Ending.QUARANTINED)
        .order_by(MailMessage.received_at, MailMessage.id)
        .with_for_update()  # of the reading too: who waited for the first of two sees that it is gone
        .execution_options(populate_existing=True)
    ).all()
    return sum(read_from_bytes(db, message) for message in quarantined)


def nothing_was_read(message: MailMessage) -> bool:
    """Tell whether of a mail no more is known than its bytes: it was quarantined, whatever became of it since."""
    return not (message.from_address or message.message_id or message.text_body or message.html_body)


def read_from_bytes(db: Session, message: MailMessage) -> bool:
    """Read a mail without runs from its bytes, as if it came in now; False when it is quarantined (again)."""
    content = db.scalar(select(MailRaw.content).where(MailRaw.mail_id == message.id))
    if content is None:  # kept no more, or the mailbox never handed them over: what was said of it stays true
        _quarantine(db, message, db.scalar(select(MailReading.reason).where(MailReading.mail_id == message.id)) or "")
        return False
    try:
        with db.begin_nested():
            _take_in(db, message, _mail_in(message, zlib.decompress(content)))
    except NotAMail as problem:
        _quarantine(db, message, str(problem))
        return False
    except Exception as problem:  # as at its import: a bug of ours must not hold up the others
        log.exception("reading a quarantined mail crashed", extra={"mail_id": message.id})
        _quarantine(db, message, f"reading it crashed: {type(problem).__name__}")
        return False
    return True


def _mail_in(message: MailMessage, raw: bytes) -> Mail:
    from_mailbox = message.received_at if message.received_source == "mailbox" else None
    return mail_from_eml(raw, received_at=from_mailbox)


def _take_in(db: Session, message: MailMessage, mail: Mail) -> None:
    _store(db, message, mail)
    digest = report_hash(mail)
    if not _is_first_report(db, message, digest):
        first = db.scalars(_holders_of(digest)).one()
        message.report_hash, message.duplicate_of_id, message.location = digest, first, Location.PROCESSED
        _settle(db, message, Ending.DUPLICATE, f"same report as mail {first}")
        return
    plan = plan_mail(db, mail)
    db.execute(delete(MailReading).where(MailReading.mail_id == message.id))
    carry_out(db, message.id, plan, received_at=message.received_at)
    message.location, message.job_id = plan.location, plan.job_id


def _store(db: Session, message: MailMessage, mail: Mail) -> None:
    others = exists().where(MailMessage.message_id == mail.message_id, MailMessage.id != message.id)
    message.message_id_seen_before = bool(db.scalar(select(others)))
    message.message_id = mail.message_id
    message.from_address, message.from_name, message.subject = mail.from_address, mail.from_name, mail.subject
    message.text_body, message.html_body, message.truncated = mail.text, mail.html, mail.truncated
    message.attachments = [asdict(attachment) for attachment in mail.attachments]
    message.sent_at = mail.sent_at
    if mail.received_at is not None:
        message.received_at, message.received_source = mail.received_at, mail.received_source


def _is_first_report(db: Session, message: MailMessage, digest: bytes | None) -> bool:
    """Give the mail its report's hash. False when another mail has it, or gets it at this moment: the key decides."""
    try:
        with db.begin_nested():
            message.report_hash = digest
    except IntegrityError:
        return False
    return True


def _holders_of(digest: bytes | None) -> Select[int]:
    return select(MailMessage.id).where(
        MailMessage.report_hash == digest, MailMessage.duplicate_of_id.is_(None), ~MailMessage.duplicate_undone
    )


def _quarantine(db: Session, message: MailMessage, reason: str) -> None:
    message.location = Location.PROCESSED
    _settle(db, message, Ending.QUARANTINED, reason)


def _settle(db: Session, message: MailMessage, ending: Ending, reason: str) -> None:
    """Let the one reading of a mail end like this."""
    db.execute(delete(MailReading).where(MailReading.mail_id == message.id))
    db.add(MailReading(mail_id=message.id, number=0, outcome=ending, reason=reason))
