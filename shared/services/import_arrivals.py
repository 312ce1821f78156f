"""Imports mails that a mailbox handed over: the database only, safe to repeat, and by any number of workers at once.

Like `import_mailbox` it opens its own transactions: one a mail, in which the mail with its outcomes takes the place of
the arrival.
"""

import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.db.session import held_connection, transaction
from shared.domain.mailflow import Delivery, MimeState, Source
from shared.domain.reading import Parsed
from shared.models.mailbox import MailArrival, MailMove
from shared.models.system import SystemSettings
from shared.parsers.eml import NotAMail
from shared.parsers.graph_json import GraphMessage, message_from_json, subject_in
from shared.parsers.registry import read
from shared.services.import_mail import Imported, import_mail, quarantine_mail
from shared.services.import_mailbox import ATTEMPTS, Summary, is_outage

log = logging.getLogger(__name__)

MAX_STARTS = 5
_LOCK = 7_301_003  # any constant; other advisory locks of the app use other numbers


@dataclass(slots=True)
class ArrivalsImported:
    """What an import of arrivals did; `wanted` mails wait until the mailbox was asked for the whole of them."""

    summary: Summary = field(default_factory=Summary)
    wanted: int = 0

    def as_counts(self) -> dict[str, int]:
        return {**self.summary.as_counts(), "wanted": self.wanted}


def import_arrivals(arrival_ids: Sequence[int], *, clock: Callable[[], datetime]) -> ArrivalsImported:
    """Import the arrivals that are still there and that nobody else is importing.

    A mail that crashes the import is tried again, then quarantined; so is one at which the worker died MAX_STARTS
    times. A database that is gone stops everything: what is left waits.
    """
    done = ArrivalsImported()
    with transaction() as db:
        settings = db.get_one(SystemSettings, 1)
    turns = _in_turn(arrival_ids)  # before a connection is held: many workers share few of them
    with held_connection() as connection:
        for arrival_id, is_counted in turns:
            match _import_one(connection, arrival_id, settings, clock(), is_counted=is_counted):
                case Imported() as imported:
                    done.summary.add(imported)
                case MimeState.WANTED:
                    done.wanted += 1
    return done


def _in_turn(arrival_ids: Sequence[int]) -> list[tuple[int, bool]]:
    """Return the arrivals with whether this start of their import is counted.

    Those that were never tried are counted in one go. One that was tried may be what killed its worker: it comes after
    them, and is counted when it begins, so that those behind it are not blamed.
    """
    with transaction() as db:
        here = select(MailArrival.id).where(MailArrival.id.in_(arrival_ids), MailArrival.mime != MimeState.WANTED)
        tried = db.scalars(here.where(MailArrival.attempts > 0).order_by(MailArrival.attempts, MailArrival.id)).all()
        fresh = here.where(MailArrival.attempts == 0).order_by(MailArrival.id).with_for_update(skip_locked=True)
        start = update(MailArrival).where(MailArrival.id.in_(fresh)).values(attempts=1).returning(MailArrival.id)
        counted = sorted(db.scalars(start))
    return [(arrival_id, True) for arrival_id in counted] + [(arrival_id, False) for arrival_id in tried]


def _import_one(
    connection: Connection, arrival_id: int, settings: SystemSettings, now: datetime, *, is_counted: bool
) -> Imported | MimeState | None:
    """Import one arrival; None when it is gone or in another's hands."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with transaction(connection) as db:
                arrival = _taken(db, arrival_id, is_counted=is_counted)
                return _bring_in(db, arrival, settings, now) if arrival else None
        except Exception as problem:  # a bug of ours must not lose the mail, nor hold up the rest
            if is_outage(problem):
                raise
            log.exception("import of a mail crashed", extra={"arrival_id": arrival_id})
            reason, is_counted = f"the import crashed: {type(problem).__name__}", True
    with transaction(connection) as db:
        arrival = _taken(db, arrival_id, is_counted=True)
        return _give_up(db, arrival, reason, settings, now) if arrival else None


def _taken(db: Session, arrival_id: int, *, is_counted: bool) -> MailArrival | None:
    """Return the arrival, which is ours until the transaction ends; None when it is gone or in another's hands."""
    key = func.hashtextextended(f"arrival {arrival_id}", _LOCK)
    if not db.scalar(select(func.pg_try_advisory_xact_lock(key))):
        return None
    if not is_counted:
        with transaction() as beside:  # outlives what happens here
            more = MailArrival.attempts + 1
            beside.execute(update(MailArrival).where(MailArrival.id == arrival_id).values(attempts=more))
    arrival = db.get(MailArrival, arrival_id, with_for_update=True)
    return arrival if arrival and arrival.mime is not MimeState.WANTED else None


def _bring_in(db: Session, arrival: MailArrival, settings: SystemSettings, now: datetime) -> Imported | MimeState:
    """Import the mail in the arrival's place, or ask for the whole of it where its message doesn't say enough."""
    if arrival.attempts > MAX_STARTS:
        return _give_up(db, arrival, f"the import died {MAX_STARTS} times", settings, now)
    mail = None
    if arrival.raw is None:
        try:
            message = message_from_json(zlib.decompress(arrival.content), received_at=arrival.received_at)
        except NotAMail as problem:
            return _give_up(db, arrival, str(problem), settings, now)
        if _may_say_more(message) and _want_whole(arrival):
            return MimeState.WANTED
        mail = message.mail
    imported = import_mail(db, _delivery(arrival), now=now, keep_raw=settings.raw_days > 0, mail=mail)
    return _settle(db, arrival, imported, settings, now)


def _may_say_more(message: GraphMessage) -> bool:
    """Tell whether the report may be in an attachment: one that was forwarded, or what a body leaves out."""
    return message.has_attachments and not isinstance(read(message.mail), Parsed)


def _want_whole(arrival: MailArrival) -> MimeState | None:
    """Let the mailbox be asked for the whole mail; None when it was asked before."""
    if arrival.mime is not MimeState.UNASKED:
        return None
    arrival.mime, arrival.attempts = MimeState.WANTED, 0
    return arrival.mime


def _give_up(
    db: Session, arrival: MailArrival, reason: str, settings: SystemSettings, now: datetime
) -> Imported | MimeState:
    """Quarantine the mail, but only with its bytes: they may be read better than its message, now or one day."""
    if (wanted := _want_whole(arrival)) is not None:
        return wanted
    delivery = _delivery(arrival, name=subject_in(zlib.decompress(arrival.content)))
    return _settle(db, arrival, quarantine_mail(db, delivery, reason, now=now), settings, now)


def _settle(db: Session, arrival: MailArrival, imported: Imported, settings: SystemSettings, now: datetime) -> Imported:
    """Take the arrival away, and let its mail be moved out of the mailbox's way if that is wanted.

    Whatever its outcome: from now on people deal with it here, and what stays behind in the mailbox is what did not
    come in. It keeps its id, so the whole mail can still be fetched.
    """
    if settings.move_processed:
        move = {"mail_id": imported.mail_id, "mailbox_id": arrival.mailbox_id, "graph_id": arrival.graph_id}
        db.execute(insert(MailMove).values(**move, due_at=now).on_conflict_do_nothing())
    db.execute(delete(MailArrival).where(MailArrival.id == arrival.id))
    return imported


def _delivery(arrival: MailArrival, *, name: str = "") -> Delivery:
    return Delivery(
        source=Source.GRAPH,
        raw=zlib.decompress(arrival.raw) if arrival.raw is not None else b"",
        name=name,
        graph_id=arrival.graph_id,
        received_at=arrival.received_at,
    )
