"""Macrium Image Guardian: the mail about a process that it kept from backup files.

Subject  `Macrium Image Guardian - Event - <host>`
Body     one line or several: what was blocked, `File:` and `Process:`.
Seen     7 to X, English. It is sent for blocked access only, so it is always a warning, never a backup.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.macrium.backup import SOFTWARE
from shared.parsers.text import one_line

BACKUP_TYPE = "Image Guardian"

_MARK = "macrium image guardian"


def recognises(mail: Mail) -> bool:
    return _MARK in mail.subject.lower() and "macrium reflect" not in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    at = mail.subject.lower().index(_MARK)
    host = mail.subject[at:].rpartition(" - ")[2].strip() if " - " in mail.subject[at:] else None
    message = one_line(mail.body[:5000])[:1000]
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=host,
        origin=host,
        kind=Kind.INFORMATIONAL,
        status=Status.WARNING,
        objects=(ObjectResult(name=host, type="Computer", status=Status.WARNING, message=message),) if host else (),
        message=message,
        evidence=("subject: Macrium Image Guardian",),
    )


PARSER = Parser(
    name="macrium.image_guardian",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for='Subject "Macrium Image Guardian - Event - <host>"',
    recognises=recognises,
    parse=parse,
)
