"""Kopia: somebody tries a notification profile.

Subject  `Test notification from Kopia at <time>`.
Body     "This is a test notification from Kopia." and, in its last sentence, the host. Always English.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser

SOFTWARE = "Kopia"
BACKUP_TYPE = "Test"

_HOST = re.compile(r"your notification configuration on (?P<host>\S+) is correct")


def recognises(mail: Mail) -> bool:
    return "test notification from kopia" in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    host = _HOST.search(mail.body)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=None,
        origin=host["host"] if host else None,
        status=Status.INFORMATIONAL,
        kind=Kind.EVENT,
        evidence=("subject: Test notification from Kopia",),
    )


PARSER = Parser(
    name="kopia.target_trial",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Test notification from Kopia”",
    recognises=recognises,
    parse=parse,
)
