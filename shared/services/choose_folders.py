"""Chooses which folders of the mailbox are read. A folder that is chosen again goes on where it was left."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.graph_mailbox import Folder
from shared.models.mailbox import MailFolderRow
from shared.models.system import SystemSettings
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict
from shared.services.lease_mailbox import mailbox_id_of
from shared.services.read_folders import INBOX


def id_to_read(folder: Folder) -> str:
    """Return by what a folder is read: the inbox by the name it has in every mailbox, others by their id."""
    return INBOX if folder.is_inbox else folder.graph_id


def choose_folders(
    db: Session, address: str, chosen: Collection[str], *, there: Sequence[Folder], actor: Actor, now: datetime
) -> bool:
    """Read exactly the `chosen` folders of those that are `there`; tell whether that is a change.

    Raise BadInput (none, or the one that imported mails are moved to) or Conflict (gone meanwhile).
    """
    wanted = {id_to_read(folder): folder for folder in there if id_to_read(folder) in chosen}
    _check(db, wanted.values(), chosen)
    mailbox_id = mailbox_id_of(db, address)
    rows = _rows(db, mailbox_id)
    before = {graph_id: row.path for graph_id, row in rows.items() if row.active}
    for graph_id, row in rows.items():
        row.active = graph_id in wanted
    for graph_id, folder in wanted.items():
        if graph_id in rows:
            rows[graph_id].path = folder.path
        else:
            db.add(MailFolderRow(mailbox_id=mailbox_id, graph_id=graph_id, path=folder.path, active=True))
    if before.keys() == wanted.keys():
        return False
    record_act(
        db,
        actor,
        "mail_folders.chosen",
        subject_type="mailbox",
        subject_id=mailbox_id,
        before={"folders": sorted(before.values())},
        after={"folders": sorted(folder.path for folder in wanted.values())},
        now=now,
    )
    return True


def _check(db: Session, wanted: Collection[Folder], chosen: Collection[str]) -> None:
    if len(wanted) < len(set(chosen)):
        raise Conflict("A folder that you chose is not in the mailbox any more. Nothing was changed.")
    if not wanted:
        raise BadInput("Choose at least one folder: without any, no mail is read.")
    settings = db.get_one(SystemSettings, 1)
    processed = settings.processed_folder.casefold()
    if settings.move_processed and any(folder.path.casefold() == processed for folder in wanted):
        raise BadInput(f"Imported mails are moved to {settings.processed_folder}, so it cannot be read.")


def _rows(db: Session, mailbox_id: int) -> dict[str, MailFolderRow]:
    found = db.scalars(select(MailFolderRow).where(MailFolderRow.mailbox_id == mailbox_id).with_for_update())
    return {row.graph_id: row for row in found}
