"""What a wake does where mails come from a folder: everything at once. It needs no lease: files are only read."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from shared.clients.mailbox import FolderUnreadable, Mailbox
from shared.db.session import transaction
from shared.domain.queue_message import Wake, WakeReason
from shared.models.system import ImportCycle, SystemSettings
from shared.services.import_mailbox import import_mailbox

log = logging.getLogger(__name__)


def import_folder(mailbox: Mailbox, wake: Wake, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Import the folder, unless it is switched off or was read since; return counts.

    A folder that can't be read is recorded with the read, where whoever asked for it looks.
    """
    with transaction() as db:
        settings = db.get_one(SystemSettings, 1)
        is_answered = _is_answered(db, mailbox, wake)
    by_hand = wake.reason is WakeReason.MANUAL
    if is_answered or not (by_hand or settings.import_enabled):
        return {"seen_to" if is_answered else "off": 1}
    limit = settings.manual_batch if by_hand else settings.import_batch
    try:
        summary = import_mailbox(
            mailbox, trigger=wake.reason.value, clock=clock, limit=limit, request_id=wake.request_id
        )
    except FolderUnreadable:
        log.exception("the mail folder can't be read")
        return {"unreadable": 1}
    return summary.as_counts()


def _is_answered(db: Session, mailbox: Mailbox, wake: Wake) -> bool:
    finished = exists().where(ImportCycle.source == mailbox.source, ImportCycle.finished_at.is_not(None))
    if wake.request_id is not None:
        return bool(db.scalar(select(finished.where(ImportCycle.request_id == wake.request_id))))
    return bool(db.scalar(select(finished.where(ImportCycle.complete, ImportCycle.started_at > wake.at))))
