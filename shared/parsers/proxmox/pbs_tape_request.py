"""Proxmox Backup Server: a tape drive or changer waits for a tape.

Subject  `Load Media '<tape>' request for drive '<drive>'` (or `for changer`).
Body     perhaps "The <device> has the wrong or no tape(s) inserted. Error:" and a line, then the request,
         `Drive:` or `Changer:`, `Media:`. Plain text, always English.
A request, no run: but the backup waits until somebody acts, so it is shown as a warning.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.proxmox._node import machine
from shared.parsers.text import one_line

SOFTWARE = "Proxmox Backup Server"
BACKUP_TYPE = "Tape load request"

_SUBJECT = re.compile(r"Load Media '(?P<tape>[^']+)' request for (?:drive|changer) '(?P<device>[^']+)'", re.IGNORECASE)


def recognises(mail: Mail) -> bool:
    return _SUBJECT.search(one_line(mail.subject)) is not None


def parse(mail: Mail) -> Reading:
    subject = _SUBJECT.search(one_line(mail.subject))
    assert subject is not None  # recognises() saw it
    message = _request(mail.body)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=subject["device"],
        origin=machine(mail),
        status=Status.WARNING,
        kind=Kind.INFORMATIONAL,
        objects=(ObjectResult(name=subject["tape"], type="Tape", status=Status.WARNING, message=message),),
        message=message,
        evidence=(f"subject: {subject[0]}",),
    )


def _request(body: str) -> str:
    """Return the sentences before the labels `Drive:` and `Media:`."""
    before, _, _ = body.partition("\nMedia:")
    lines = (line for line in before.split("\n") if not line.startswith(("Drive:", "Changer:")))
    return one_line(" ".join(lines))[:500]


PARSER = Parser(
    name="proxmox.pbs_tape_request",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Load Media 'tape' request for drive/changer 'name'”",
    recognises=recognises,
    parse=parse,
)
