"""What the import timer does at a tick. Like the imports that it begins it opens its own transactions."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from shared.clients.mailbox import FolderMailbox, Mailbox
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.import_interval import is_import_due
from shared.domain.mailflow import Source
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.models.mailbox import GraphSubscription, MailboxRow, MailFolderRow
from shared.models.system import ImportCycle, SystemSettings
from shared.services.import_mailbox import import_mailbox
from shared.services.store_arrivals import give_out, lost_arrivals
from shared.settings import settings

TRIGGER = WakeReason.TIMER.value


def tick_mail_import(queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Look for mails where the environment says they come from; return counts. Raise Unavailable, FolderUnreadable."""
    if address := settings().graph_mailbox:
        return tick_mailbox(address, queues, clock=clock)
    return tick_folder(FolderMailbox(settings().mail_folder), clock=clock)


def tick_mailbox(address: str, queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Ask for a read of the mailbox if the settings say so by now, and give out again what was lost on its way.

    A read by itself for whatever reason counts as one of the interval; one by hand does not delay the timer.
    """
    read = select(MailboxRow.id).where(MailboxRow.address == address).scalar_subquery()
    with transaction() as db:
        lost = lost_arrivals(db, now=clock())
        by_itself = (ImportCycle.mailbox_id == read, ImportCycle.trigger != WakeReason.MANUAL.value)
        due = _is_due(db, clock(), *by_itself)
        reasons = [WakeReason.TIMER, *([WakeReason.SUBSCRIBE] if _has_unsubscribed_folder(db, address) else [])]
    give_out(queues, lost)
    if due:
        queues.send(Queue.MAIL_WAKE, [Wake(reason=reason, at=clock()).to_json() for reason in reasons])
    return {"cycles": int(due), "given_out_again": len(lost)}


def _has_unsubscribed_folder(db: Session, address: str) -> bool:
    """Tell whether a folder is read that Graph was never asked to tell of; one that it refused has its row."""
    query = (
        select(MailFolderRow.id)
        .join(MailboxRow, MailboxRow.id == MailFolderRow.mailbox_id)
        .outerjoin(GraphSubscription, GraphSubscription.folder_id == MailFolderRow.id)
        .where(MailboxRow.address == address, MailFolderRow.active, GraphSubscription.id.is_(None))
    )
    return db.scalar(query.limit(1)) is not None


def tick_folder(mailbox: Mailbox, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Import the folder if the settings say so by now; return the counts, and how many cycles that were."""
    with transaction() as db:
        batch = db.get_one(SystemSettings, 1).import_batch
        due = _is_due(db, clock(), ImportCycle.source == Source.FOLDER, ImportCycle.trigger == TRIGGER)
    if not due:
        return {"cycles": 0}
    summary = import_mailbox(mailbox, trigger=TRIGGER, clock=clock, limit=batch)
    return {"cycles": 1, **summary.as_counts()}


def _is_due(db: Session, now: datetime, *which: ColumnElement[bool]) -> bool:
    rules = db.get_one(SystemSettings, 1)
    return is_import_due(
        enabled=rules.import_enabled,
        interval=timedelta(minutes=rules.import_interval_minutes),
        last_started_at=db.scalar(select(func.max(ImportCycle.started_at)).where(*which)),
        now=now,
    )
