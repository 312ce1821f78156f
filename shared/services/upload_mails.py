"""Imports mail files that a person sends from a page. One bad file never stops the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.session import transaction
from shared.domain.mailflow import Delivery, Source
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput
from shared.services.import_mail import Imported
from shared.services.import_mailbox import import_deliveries

MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file as the browser sends it."""

    name: str
    content: bytes


def upload_mails(files: Sequence[MailFile], *, actor: Actor, clock: Callable[[], datetime]) -> list[Imported]:
    """Return what became of each file, in their order. Raise BadInput when there are none, or too many."""
    if not files:
        raise BadInput("Choose at least one mail file (.eml).", field="files")
    if len(files) > MOST_FILES:
        raise BadInput(f"At most {MOST_FILES} files at once; send the rest in a second step.", field="files")
    imported = import_deliveries([_delivery(file) for file in files], clock=clock)
    mail_ids = [each.mail_id for each in imported]
    with transaction() as db:
        record_act(
            db, actor, "mails.uploaded", subject_type="mail", subject_id=None, after={"mails": mail_ids}, now=clock()
        )
    return imported


def _delivery(file: MailFile) -> Delivery:
    return Delivery(source=Source.UPLOAD, raw=file.content, name=file.name.replace("\0", "").rpartition("/")[2])
