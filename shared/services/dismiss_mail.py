"""Takes waiting and quarantined mails away and brings them back. Nothing is lost: the ledger keeps the row."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Location
from shared.models.jobs import JobRun
from shared.models.mail import MailMessage, MailReading
from shared.services.audit import Actor, record_act
from shared.services.errors import Conflict, NotFound
from shared.services.read_quarantined import nothing_was_read, read_from_bytes
from shared.services.route_mail import carry_out, plan_mail, read_again
from shared.services.stored_mail import stored_mail


def dismiss_mails(db: Session, mail_ids: Sequence[int], *, actor: Actor, reason: str, now: datetime) -> int:
    """Dismiss what waits or is quarantined of these mails; return how many that were. Repeating it is harmless."""
    dismissed = [mail for mail in _open_mails(db, mail_ids) if _dismiss(db, mail, actor=actor, reason=reason, now=now)]
    return len(dismissed)


def restore_mail(db: Session, mail_id: int, *, actor: Actor, now: datetime) -> None:
    """Bring a deleted mail back as if it came in now: today's parsers read it, known jobs get their run."""
    message = db.get(MailMessage, mail_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise NotFound("This mail is gone.")
    if message.location is not Location.DELETED:
        raise Conflict("This mail isn't deleted.")
    message.location, message.deleted_at, message.deleted_by = Location.PROCESSED, None, None
    message.delete_reason = ""
    _route_anew(db, message)
    record_act(db, actor, "mail.restored", subject_type="mail", subject_id=message.id, now=now)


def restore_mails(db: Session, mail_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Bring back those of these mails that are deleted; return how many. Repeating it is harmless."""
    deleted = select(MailMessage.id).where(MailMessage.id.in_(mail_ids), MailMessage.location == Location.DELETED)
    found = db.scalars(deleted.order_by(MailMessage.id).with_for_update()).all()
    for mail_id in found:
        restore_mail(db, mail_id, actor=actor, now=now)
    return len(found)


def undo_duplicate(db: Session, mail_id: int, *, actor: Actor, now: datetime) -> None:
    """A person says that this mail is no duplicate: read and route it like any other."""
    message = db.get(MailMessage, mail_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise NotFound("This mail is gone.")
    if message.duplicate_of_id is None or message.duplicate_undone:
        raise Conflict("This mail isn't marked as a duplicate.")
    message.duplicate_undone = True
    _route_anew(db, message)
    record_act(db, actor, "duplicate.undone", subject_type="mail", subject_id=message.id, now=now)


def reparse_mails(db: Session, mail_ids: Sequence[int]) -> int:
    """Read waiting mails again with today's parsers; return how many left the inbox."""
    waiting = db.scalars(
        select(MailMessage)
        .where(MailMessage.id.in_(mail_ids), MailMessage.location == Location.INBOX)
        .order_by(MailMessage.received_at, MailMessage.id)
        .with_for_update()
    ).all()
    for message in waiting:
        read_again(db, message, stored_mail(message))
    return sum(message.location is not Location.INBOX for message in waiting)


def _open_mails(db: Session, mail_ids: Sequence[int]) -> Sequence[MailMessage]:
    quarantined = select(MailReading.mail_id).where(MailReading.outcome == Ending.QUARANTINED)
    is_open = or_(MailMessage.location == Location.INBOX, MailMessage.id.in_(quarantined))
    found = select(MailMessage).where(MailMessage.id.in_(mail_ids), is_open).order_by(MailMessage.id)
    return db.scalars(found.with_for_update()).all()


def _dismiss(db: Session, message: MailMessage, *, actor: Actor, reason: str, now: datetime) -> bool:
    """Dismiss a mail that is locked; False when somebody settled it while we waited for the lock."""
    dismissed = db.scalars(
        update(MailReading)
        .where(MailReading.mail_id == message.id, MailReading.outcome.in_((Ending.INBOX, Ending.QUARANTINED)))
        .values(outcome=Ending.DISMISSED, inbox_reason=None, dismissed_at=now, dismissed_by=actor.person_id)
        .returning(MailReading.id)
    ).all()
    if not dismissed:
        return False
    if _has_runs(db, message.id):
        message.location = Location.PROCESSED  # its runs still show it
    else:
        message.location, message.deleted_at, message.deleted_by = Location.DELETED, now, actor.person_id
    message.delete_reason = reason
    record_act(db, actor, "mail.deleted", subject_type="mail", subject_id=message.id, after={"reason": reason}, now=now)
    return True


def _route_anew(db: Session, message: MailMessage) -> None:
    """Read and route a mail that has no run (any more), as if it came in now."""
    if _has_runs(db, message.id):
        raise Conflict("Runs were made of this mail; it is settled.")
    if nothing_was_read(message):
        read_from_bytes(db, message)
        return
    db.execute(delete(MailReading).where(MailReading.mail_id == message.id))
    plan = plan_mail(db, stored_mail(message))
    carry_out(db, message.id, plan, received_at=message.received_at)
    message.location, message.job_id = plan.location, plan.job_id


def _has_runs(db: Session, mail_id: int) -> bool:
    """Tell whether a run shows this mail; those of a deleted job went with it."""
    found = select(JobRun.id).join(MailReading, MailReading.id == JobRun.reading_id)
    return db.scalar(found.where(MailReading.mail_id == mail_id).limit(1)) is not None
