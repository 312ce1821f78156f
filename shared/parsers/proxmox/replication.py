"""Proxmox VE: the mail sent when a storage replication job fails.

Subject  `Replication Job: '<guest>-<number>' failed`; without the quotes up to 8.0.
Body     one sentence with target and schedule, `Last successful sync:`, `Next sync try:`, `Failure count:`,
         then `Error:` and its text. Text, HTML or both.
Seen     6.x to 9.x, always English. A replication that works is never mailed.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.proxmox._node import machine
from shared.parsers.text import one_line

SOFTWARE = "Proxmox VE"
BACKUP_TYPE = "Replication"

_SUBJECT = re.compile(r"Replication Job: '?(?P<job>(?P<guest>\d+)-\d+)'? failed\b", re.IGNORECASE)


def recognises(mail: Mail) -> bool:
    return _SUBJECT.search(one_line(mail.subject)) is not None


def parse(mail: Mail) -> Reading:
    subject = _SUBJECT.search(one_line(mail.subject))
    assert subject is not None  # recognises() saw it
    error = _error(mail.body)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=subject["job"],
        origin=machine(mail),
        status=Status.FAILED,
        kind=Kind.ALERT_ONLY,
        # The mail doesn't tell containers from virtual machines.
        objects=(ObjectResult(name=subject["guest"], type="VM", status=Status.FAILED, message=error),),
        message=error,
        evidence=(f"subject: {subject[0]}",),
    )


def _error(body: str) -> str:
    """Return the first line after `Error:`."""
    lines = [line.strip() for line in body.split("\n")]
    if "Error:" not in lines:
        return ""
    return next(filter(None, lines[lines.index("Error:") + 1 :]), "")


PARSER = Parser(
    name="proxmox.replication",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Replication Job: 'guest-number' failed”",
    recognises=recognises,
    parse=parse,
)
