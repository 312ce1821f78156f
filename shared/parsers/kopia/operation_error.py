"""Kopia: an operation other than a snapshot (maintenance, say) met an error.

Subject  `Kopia has encountered an error during <operation> on <host>`.
Body     `Operation:`, `Started:`, `Finished:`, in HTML `Message:`, then the details. Text or HTML, always English.
An operation that works is never mailed.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.text import labels, one_line, wall_clock

SOFTWARE = "Kopia"
BACKUP_TYPE = "Operation error"

_SUBJECT = re.compile(
    r"Kopia has encountered an error during (?P<operation>.{1,500}) on (?P<host>[^\s/]+)", re.IGNORECASE
)


def recognises(mail: Mail) -> bool:
    return "kopia has encountered an error during " in one_line(mail.subject).lower()


def parse(mail: Mail) -> Reading:
    subject = _SUBJECT.search(one_line(mail.subject))
    host, operation = (subject["host"], subject["operation"]) if subject else (None, "")
    facts = labels(mail.body)
    message = facts.get("message") or _details(mail.body)
    name = facts.get("operation") or operation
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=host,
        origin=host,
        status=Status.FAILED,
        kind=Kind.ALERT_ONLY,
        objects=(ObjectResult(name=name, type="Operation", status=Status.FAILED, message=message),) if name else (),
        started_at=wall_clock(facts.get("started", "")),
        ended_at=wall_clock(facts.get("finished", "")),
        message=message,
        evidence=("subject: Kopia has encountered an error",),
    )


def _details(body: str) -> str:
    """Return the first line below `Finished:`, the last label."""
    _, _, below = body.partition("\nFinished:")
    return next((line.strip() for line in below.split("\n")[1:] if line.strip()), "")


PARSER = Parser(
    name="kopia.operation_error",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Kopia has encountered an error during …”",
    recognises=recognises,
    parse=parse,
)
