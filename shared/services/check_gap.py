"""Once a day the ids in the mailbox are held against those that came in: another system's word is no proof."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from sqlalchemy import select, union_all

from shared.clients.errors import NotFound
from shared.clients.graph_mailbox import Arrived
from shared.models.mail import MailMessage
from shared.models.mailbox import MailArrival, MailboxRow, MailFolderRow
from shared.services.read_folders import start_anew
from shared.services.store_arrivals import give_out, store_arrivals
from shared.services.sync_round import SyncRound

log = logging.getLogger(__name__)

EVERY = timedelta(hours=24)
WINDOW = timedelta(hours=48)
JUST_CAME = timedelta(minutes=5)  # clocks differ, and what comes while we read is the next read's
MAX_SINGLE = 100  # beyond these it costs less to read the folder again
_CHUNK = 1_000


def check_gap(round_: SyncRound) -> bool:
    """Bring in what the folders' reads left out, once a day; return False when a folder must be read again for it."""
    if not _is_due(round_):
        return True
    again = [folder for folder in _folders(round_) if not _is_whole(round_, folder)]
    for folder in again:
        start_anew(round_, folder)
    with round_.write() as db:
        db.get_one(MailboxRow, round_.mailbox_id).gap_checked_at = round_.started_at
    return not again


def _is_due(round_: SyncRound) -> bool:
    """Tell whether the last check is a day ago. The first read ever has nothing to be held against."""
    with round_.write() as db:
        row = db.get_one(MailboxRow, round_.mailbox_id)
        last = row.gap_checked_at = row.gap_checked_at or round_.started_at
        return round_.checks_gap or round_.started_at - last >= EVERY


def _folders(round_: SyncRound) -> Sequence[MailFolderRow]:
    with round_.write() as db:
        of_it = select(MailFolderRow).where(MailFolderRow.mailbox_id == round_.mailbox_id, MailFolderRow.active)
        return db.scalars(of_it.order_by(MailFolderRow.id)).all()


def _is_whole(round_: SyncRound, folder: MailFolderRow) -> bool:
    missing = _missing(round_, folder)
    if not missing:
        return True
    if len(missing) > MAX_SINGLE:
        log.warning("a read left out many mails", extra={"folder_id": folder.id, "mails": len(missing)})
        return False
    found = [arrived for graph_id in missing if (arrived := _message(round_, graph_id))]
    left_out = sum(each.received_at < round_.started_at - JUST_CAME for each in found)
    if left_out:
        log.warning("a read left out mails", extra={"folder_id": folder.id, "mails": left_out})
    with round_.write() as db:
        new = store_arrivals(db, round_.mailbox_id, found, now=round_.clock())
        round_.counts.update(gaps=left_out, new=len(new))
    give_out(round_.queues, new)
    return True


def _missing(round_: SyncRound, folder: MailFolderRow) -> list[str]:
    ids, missing = round_.mailbox.ids_since(folder.graph_id, round_.started_at - WINDOW), list[str]()
    while chunk := list(islice(ids, _CHUNK)):
        here = [select(model.graph_id).where(model.graph_id.in_(chunk)) for model in (MailMessage, MailArrival)]
        with round_.write() as db:
            known = set(db.scalars(union_all(*here)))
        missing += [graph_id for graph_id in chunk if graph_id not in known]
    return missing


def _message(round_: SyncRound, graph_id: str) -> Arrived | None:
    try:
        return round_.mailbox.message(graph_id)
    except NotFound:
        return None  # deleted or moved since it was listed
