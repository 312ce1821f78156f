"""One read of a mailbox from start to end. Unlike other services it opens its own transactions: one a mail."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.clients.mailbox import FolderUnreadable, Mailbox
from shared.db.session import held_connection, transaction
from shared.domain.identity import file_key
from shared.domain.mailflow import Delivery, Ending, Source
from shared.models.mail import MailMessage, MailReading
from shared.models.system import ImportCycle, SystemSettings
from shared.services.import_mail import Imported, import_mail, quarantine_mail

log = logging.getLogger(__name__)

ATTEMPTS = 2
_CHUNK = 50  # in memory at once, each up to the size of the largest mail
# No answer at all, connection lost, out of resources, shutting down, broken disk.
_OUTAGES = frozenset({"", "08", "53", "57", "58"})


@dataclass(slots=True)
class Summary:
    """What an import did. `fetched` counts mails, `outcomes` their readings; `new` mails were stored now."""

    fetched: int = 0
    new: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def readings(self) -> int:
        return self.outcomes.total()

    def add(self, imported: Imported) -> None:
        """Count a mail; one that had come in before counts as duplicates, a reading each."""
        self.fetched += 1
        self.new += imported.is_new
        endings = imported.endings if imported.is_new else (Ending.DUPLICATE,) * len(imported.endings)
        self.outcomes.update(ending.value for ending in endings)

    def as_counts(self) -> dict[str, int]:
        return {"fetched": self.fetched, "new": self.new, "readings": self.readings, **self.outcomes}


def import_mailbox(
    mailbox: Mailbox,
    *,
    trigger: str,
    clock: Callable[[], datetime],
    limit: int | None = None,
    request_id: str | None = None,
    progress: Callable[[Summary], None] = lambda _: None,
) -> Summary:
    """Import every mail of the mailbox that isn't in yet (at most `limit` new ones), a transaction each.

    One bad mail never stops the others; a database that is gone stops the cycle, which the next one takes
    up. A cycle that read everything is recorded as complete: only such a one covers its time. `request_id` is how a
    page finds the cycle.
    """
    cycle_id, keep_raw = _begin(mailbox.source, trigger, clock(), request_id)
    summary, complete = Summary(), True
    try:
        with held_connection() as connection:
            for delivery, known in _with_known(mailbox.deliveries()):
                if limit is not None and summary.new >= limit:
                    complete = False
                    break
                summary.add(known or _import_one(connection, delivery, clock(), keep_raw=keep_raw))
                progress(summary)
                if summary.fetched % _CHUNK == 0:
                    _record(cycle_id, counts=summary.as_counts())
    except FolderUnreadable as problem:
        _record(cycle_id, finished_at=clock(), error=str(problem))
        raise
    complete = complete and not mailbox.unreadable
    _record(cycle_id, finished_at=clock(), complete=complete, counts=summary.as_counts())
    log.info("import done", extra={"trigger": trigger, "counts": summary.as_counts()})
    return summary


def import_deliveries(deliveries: Iterable[Delivery], *, clock: Callable[[], datetime]) -> list[Imported]:
    """Import mails that a person uploaded, and return what became of each; they cover no mailbox."""
    with transaction() as db:
        keep_raw = _keeps_raw(db.get_one(SystemSettings, 1))
    with held_connection() as connection:
        return [_import_one(connection, delivery, clock(), keep_raw=keep_raw) for delivery in deliveries]


def _import_one(connection: Connection, delivery: Delivery, now: datetime, *, keep_raw: bool) -> Imported:
    """Import a mail; try again what failed once, because its job may have been changed or deleted meanwhile."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with transaction(connection) as db:
                return import_mail(db, delivery, now=now, keep_raw=keep_raw)
        except Exception as problem:  # a bug of ours must not lose the mail, nor hold up the rest
            if is_outage(problem):
                raise
            log.exception("import of a mail crashed", extra={"file_name": delivery.shown_name})
            reason = f"the import crashed: {type(problem).__name__}"
    with transaction(connection) as db:
        return quarantine_mail(db, delivery, reason, now=now)


def is_outage(problem: Exception) -> bool:
    """Tell whether the database is gone, full or going down; else it is this mail that it can't take."""
    if not isinstance(problem, OperationalError | InterfaceError):
        return isinstance(problem, PoolTimeout)
    return (getattr(problem.orig, "pgcode", None) or "")[:2] in _OUTAGES


def _begin(source: Source, trigger: str, now: datetime, request_id: str | None) -> tuple[int, bool]:
    asked = select(ImportCycle).where(ImportCycle.request_id == request_id)
    with transaction() as db:
        cycle = db.scalar(asked) if request_id else None  # it died, and begins again
        cycle = cycle or ImportCycle(source=source, trigger=trigger, started_at=now, request_id=request_id)
        db.add(cycle)
        db.flush()  # the end of the cycle needs its id
        return cycle.id, _keeps_raw(db.get_one(SystemSettings, 1))


def _record(cycle_id: int, **facts: object) -> None:
    with transaction() as db:
        db.execute(update(ImportCycle).where(ImportCycle.id == cycle_id).values(**facts))


def _keeps_raw(settings: SystemSettings) -> bool:
    return settings.raw_days > 0


def _with_known(deliveries: Iterator[Delivery]) -> Iterator[tuple[Delivery, Imported | None]]:
    """Yield each delivery with what became of it when it came in before."""
    while chunk := list(islice(deliveries, _CHUNK)):
        known = _known_files(chunk)
        yield from ((delivery, known.get(_key(delivery))) for delivery in chunk)


def _known_files(chunk: list[Delivery]) -> dict[bytes, Imported]:
    """Return which files of the chunk came in before: one question for all of them."""
    keys = [_key(delivery) for delivery in chunk]
    with transaction() as db:
        rows = db.execute(
            select(MailMessage.file_key, MailMessage.id, MailReading.outcome)
            .join(MailReading, MailReading.mail_id == MailMessage.id)
            .where(MailMessage.file_key.in_(keys))
            .order_by(MailMessage.id, MailReading.number)
        ).all()
    found: dict[bytes, Imported] = {}
    for key, mail_id, outcome in rows:
        assert key is not None  # it was asked for by its key
        before = found[key].endings if key in found else ()
        found[key] = Imported(mail_id, (*before, outcome), is_new=False)
    return found


def _key(delivery: Delivery) -> bytes:
    return b"" if delivery.graph_id else file_key(delivery.name, delivery.raw)
