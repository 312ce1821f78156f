"""One mail in, exactly one recorded outcome for each of its readings. Safe to repeat, in parallel too."""

import zlib
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import LargeBinary, bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.identity import file_key, report_hash
from shared.domain.mail import Mail
from shared.domain.mailflow import Delivery, Ending, Location
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.parsers.eml import NotAMail, mail_from_eml
from shared.services.route_mail import carry_out, plan_mail


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a delivery; `is_new` is False when it had come in before and nothing was changed."""

    mail_id: int
    endings: tuple[Ending, ...]
    is_new: bool = True


def import_mail(
    db: Session, delivery: Delivery, *, now: datetime, keep_raw: bool = True, mail: Mail | None = None
) -> Imported:
    """Store the delivery, read it, and give each reading its outcome; `mail` is what it holds, where that is known.

    1. The delivery is claimed by its unique key; one that came in before is left alone.
    2. A report that came in before (equal hash) is stored as a duplicate of the first.
    3. Everything else is read and routed: run, inbox, event, archived; bytes that are no mail are quarantined.
    """
    try:
        mail = mail or mail_from_eml(delivery.raw, received_at=delivery.received_at)
    except NotAMail as problem:
        return quarantine_mail(db, delivery, str(problem), now=now)
    digest, plan = report_hash(mail), plan_mail(db, mail)
    decided = {"report_hash": digest, "location": plan.location, "job_id": plan.job_id}
    mail_id = _store(db, delivery, mail, now, keep_raw=keep_raw, **decided)
    if mail_id is None:  # this delivery, or this report, came in before
        return _known(db, delivery) or _store_duplicate(db, delivery, mail, digest, now=now, keep_raw=keep_raw)
    carry_out(db, mail_id, plan, received_at=mail.received_at or now)
    return Imported(mail_id, plan.endings)


def quarantine_mail(db: Session, delivery: Delivery, reason: str, *, now: datetime) -> Imported:
    """Keep bytes that can't be handled as a mail, with the reason; people see them in the inbox."""
    mail_id = db.scalar(
        insert(MailMessage)
        .values(
            **_delivery_columns(delivery, now),
            subject=delivery.shown_name,
            received_at=delivery.received_at or now,
            received_source="mailbox" if delivery.received_at else "import",
            location=Location.PROCESSED,
        )
        .on_conflict_do_nothing()
        .returning(MailMessage.id)
    )
    if mail_id is None:
        return _must_be_known(db, delivery)
    if delivery.has_bytes:
        db.execute(insert(MailRaw).values(mail_id=mail_id, content=zlib.compress(delivery.raw), size=len(delivery.raw)))
    return _finish(db, mail_id, Ending.QUARANTINED, reason)


def _store(
    db: Session, delivery: Delivery, mail: Mail, now: datetime, *, keep_raw: bool, **decided: object
) -> int | None:
    """Insert the mail and its bytes; return None when one of its unique keys is taken."""
    row = {
        **_UNDECIDED,
        **_delivery_columns(delivery, now),
        **decided,
        "message_id": mail.message_id,
        "same_message_id": mail.message_id,
        "from_address": mail.from_address,
        "from_name": mail.from_name,
        "subject": mail.subject,
        "text_body": mail.text,
        "html_body": mail.html,
        "attachments": [asdict(attachment) for attachment in mail.attachments],
        "truncated": mail.truncated,
        "sent_at": mail.sent_at,
        "received_at": mail.received_at or now,
        "received_source": mail.received_source,
        "content": zlib.compress(delivery.raw) if keep_raw and delivery.has_bytes else None,
        "size": len(delivery.raw),
    }
    mail_id: int | None = db.scalar(_CLAIM, row)
    return mail_id


def _store_duplicate(
    db: Session, delivery: Delivery, mail: Mail, digest: bytes | None, *, now: datetime, keep_raw: bool
) -> Imported:
    first = db.scalars(_FIRST_WITH_HASH, {"digest": digest}).one()
    decided = {"report_hash": digest, "duplicate_of_id": first, "location": Location.PROCESSED}
    mail_id = _store(db, delivery, mail, now, keep_raw=keep_raw, **decided)
    if mail_id is None:
        return _must_be_known(db, delivery)
    return _finish(db, mail_id, Ending.DUPLICATE, f"same report as mail {first}")


def _delivery_columns(delivery: Delivery, now: datetime) -> dict[str, object]:
    return {
        "source": delivery.source,
        "graph_id": delivery.graph_id,
        "file_key": None if delivery.graph_id else file_key(delivery.name, delivery.raw),
        "file_name": delivery.shown_name,
        "imported_at": now,
    }


def _finish(db: Session, mail_id: int, ending: Ending, reason: str) -> Imported:
    db.execute(insert(MailReading).values(mail_id=mail_id, number=0, outcome=ending, reason=reason))
    return Imported(mail_id, (ending,))


def _known(db: Session, delivery: Delivery) -> Imported | None:
    if delivery.graph_id:
        rows = db.execute(_BY_GRAPH_ID, {"graph_id": delivery.graph_id}).all()
    else:
        rows = db.execute(_BY_FILE_KEY, {"file_key": file_key(delivery.name, delivery.raw)}).all()
    return Imported(rows[0][0], tuple(row[1] for row in rows), is_new=False) if rows else None


def _must_be_known(db: Session, delivery: Delivery) -> Imported:
    if (known := _known(db, delivery)) is None:
        raise RuntimeError("a delivery could neither be stored nor found")
    return known


# Every mail asks and writes this. Statements are built once: building them anew costs more than running them.
_FIRST_WITH_HASH = select(MailMessage.id).where(
    MailMessage.report_hash == bindparam("digest"), MailMessage.duplicate_of_id.is_(None), ~MailMessage.duplicate_undone
)
_STORED = (
    select(MailMessage.id, MailReading.outcome)
    .join(MailReading, MailReading.mail_id == MailMessage.id)
    .order_by(MailReading.number)
)
_BY_GRAPH_ID = _STORED.where(MailMessage.graph_id == bindparam("graph_id"))
_BY_FILE_KEY = _STORED.where(MailMessage.file_key == bindparam("file_key"))
_UNDECIDED: dict[str, object] = {"report_hash": None, "duplicate_of_id": None, "job_id": None}
_COLUMNS = (
    "source graph_id file_key file_name imported_at message_id from_address from_name subject text_body html_body "
    "attachments truncated sent_at received_at received_source report_hash duplicate_of_id location job_id"
).split()
_mails = table_of(MailMessage)
_claimed = (
    insert(_mails)
    .values(
        {name: bindparam(name, type_=_mails.c[name].type) for name in _COLUMNS}
        | {"message_id_seen_before": exists().where(_mails.c.message_id == bindparam("same_message_id"))}
    )
    .on_conflict_do_nothing()
    .returning(_mails.c.id)
    .cte("claimed")
)
_kept = (
    insert(table_of(MailRaw))
    .from_select(
        ["mail_id", "content", "size"],
        select(_claimed.c.id, bindparam("content", type_=LargeBinary()), bindparam("size")).where(
            bindparam("content", type_=LargeBinary()).is_not(None)
        ),
    )
    .cte("kept")
)
# The mail and its bytes in one statement: each round trip costs about as much as parsing the mail.
_CLAIM = select(_claimed.c.id).add_cte(_kept)
