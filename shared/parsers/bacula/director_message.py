"""Bacula and Bareos: what the director mails beside the reports of jobs.

Subject  `Bacula daemon message` or `Bareos daemon message` (messages of no job), and
         `Bacula: Intervention needed for <job>` to the operator (a volume is wanted). Both stand in the
         default configuration.
Body     text: lines of messages, `<time> <name>-dir JobId 0: [Warning: |Error: |Fatal error: ]…`.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.bacula.job_report import SOFTWARE, job_of
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import one_line

INTERVENTION = "Intervention"
DAEMON_MESSAGE = "Daemon message"
# Worst first; without any of these a message only informs.
WORDS = (("fatal error:", Status.FAILED), ("error:", Status.WARNING), ("warning:", Status.WARNING))

_DAEMON = re.compile(r"\b(?:bacula|bareos) daemon message\b")
_NEEDED = re.compile(r"\b(?:bacula|bareos): intervention needed for (?P<job>\S+)", re.IGNORECASE)
# The default time prefix ends in a blank, a configured one may be glued to the name.
_WRITER = re.compile(r"(?::\d\d)? ?(?P<name>[\w.-]{1,100}?)(?:-dir)? JobId \d+:")


def recognises(mail: Mail) -> bool:
    return _DAEMON.search(mail.subject.lower()) is not None or _NEEDED.search(mail.subject) is not None


def parse(mail: Mail) -> Reading:
    lines = [one_line(line[:1000]) for line in mail.body.split("\n") if line.strip()]
    needed = _NEEDED.search(mail.subject)
    writer = next((found["name"] for line in lines[:50] if (found := _WRITER.search(line))), None)
    if needed is not None:
        status, words = Status.WARNING, "subject: Intervention needed"
    else:
        if not lines:
            raise UnreadableMail("the message is empty", backup_type=DAEMON_MESSAGE)
        status, words = _verdict(lines)
    return Reading(
        software=SOFTWARE,
        backup_type=INTERVENTION if needed else DAEMON_MESSAGE,
        job_name=job_of(needed["job"]) if needed else None,
        origin=writer,
        kind=Kind.INFORMATIONAL,
        status=status,
        message=" ".join(lines[:3])[:1000],
        evidence=(words,),
    )


def _verdict(lines: list[str]) -> tuple[Status, str]:
    for words, status in WORDS:
        for line in lines:
            if words in line.lower():
                return status, line[:200]
    return Status.INFORMATIONAL, "no line is a warning or an error"


PARSER = Parser(
    name="bacula.director_message",
    software=SOFTWARE,
    backup_types=(DAEMON_MESSAGE, INTERVENTION),
    languages=("en",),
    looks_for='Subject "Bacula daemon message" or "Bacula: Intervention needed for <job>" (or Bareos)',
    recognises=recognises,
    parse=parse,
)
