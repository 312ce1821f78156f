"""Reads what is new in the folders of a mailbox, page by page; a page and how to go on behind it are one commit."""

import logging
from datetime import timedelta

from sqlalchemy import select, update

from shared.clients.errors import NotFound, SyncStateLost
from shared.clients.graph_mailbox import DeltaPage
from shared.models.mailbox import MailFolderRow
from shared.services.store_arrivals import give_out, store_arrivals
from shared.services.sync_round import SyncRound

log = logging.getLogger(__name__)

INBOX = "inbox"  # a name that Graph knows in every mailbox, whatever its language


class NoFolder(NotFound):
    """None of the mailbox's folders is to be read."""


def read_folders(round_: SyncRound) -> bool:
    """Store what is new in all folders; return False when it stopped at its limit.

    A folder that is gone does not keep the others from being read. Raise NotFound for it in the end.
    """
    missing: list[str] = []
    for folder in _folders(round_):
        if round_.is_full:
            return False
        try:
            if not _read_to_end(round_, folder):
                return False
        except NotFound:
            log.exception("a mail folder is gone", extra={"folder_id": folder.id})
            missing.append(folder.path)
    if missing:
        raise NotFound(f"Not in the mailbox any more: {', '.join(missing)}")
    return True


def _folders(round_: SyncRound) -> list[MailFolderRow]:
    """Return the folders to be read, the one that waits longest first; a mailbox without any has its Inbox read."""
    with round_.write() as db:
        all_of_it = select(MailFolderRow).where(MailFolderRow.mailbox_id == round_.mailbox_id)
        known = db.scalars(all_of_it.order_by(MailFolderRow.read_until.nulls_first(), MailFolderRow.id)).all()
        if not known:
            inbox = MailFolderRow(mailbox_id=round_.mailbox_id, graph_id=INBOX, path="Inbox", active=True)
            db.add(inbox)
            known = [inbox]
    if found := [folder for folder in known if folder.active]:
        return found
    raise NoFolder("No folder of the mailbox is chosen.")


def _read_to_end(round_: SyncRound, folder: MailFolderRow) -> bool:
    since = round_.started_at - timedelta(days=round_.settings.mail_lookback_days)
    link = folder.link
    while True:
        try:
            page = round_.mailbox.delta(folder.graph_id, link=link, since=since)
        except SyncStateLost:
            if link is None:
                raise
            start_anew(round_, folder)
            link = None
            continue
        _keep(round_, folder, page)
        if page.is_last:
            return True
        if round_.is_full:
            return False
        link = page.link


def start_anew(round_: SyncRound, folder: MailFolderRow) -> None:
    """Forget how to go on in a folder; what is read again is known, and so comes in once."""
    log.warning("a mail folder is read again from the start", extra={"folder_id": folder.id})
    round_.counts["resyncs"] += 1
    with round_.write() as db:
        anew = {"link": None, "resyncs": MailFolderRow.resyncs + 1}
        db.execute(update(MailFolderRow).where(MailFolderRow.id == folder.id).values(**anew))


def _keep(round_: SyncRound, folder: MailFolderRow, page: DeltaPage) -> None:
    with round_.write() as db:
        new = store_arrivals(db, round_.mailbox_id, page.arrived, now=round_.clock())
        reached = {"read_until": round_.started_at} if page.is_last else {}
        db.execute(update(MailFolderRow).where(MailFolderRow.id == folder.id).values(link=page.link, **reached))
        round_.counts.update(pages=1, fetched=len(page.arrived), new=len(new), broken=page.broken)
    if page.broken:
        log.error("a page held items that are no mails", extra={"folder_id": folder.id, "items": page.broken})
    give_out(round_.queues, new)
