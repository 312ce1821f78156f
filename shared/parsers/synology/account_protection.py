"""Synology DSM Account Protection: an account was locked, or a client is no longer trusted.

Subject  holds "Account Protection" (Dutch DSM keeps the English name; German "Kontoschutz").
Body     one sentence and `From HOST`. Assumed from descriptions; no mail as sent was at hand.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.synology._notice import event_lines, nas_of, subject_event

SOFTWARE = "Synology DSM"
BACKUP_TYPE = "Account Protection"

_NAMES = ("account protection", "accountbeveiliging", "kontoschutz")


def recognises(mail: Mail) -> bool:
    return any(name in mail.subject.lower() for name in _NAMES) and nas_of(mail) is not None


def parse(mail: Mail) -> Reading:
    sentence = max(event_lines(mail), key=len, default=subject_event(mail))
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name="Synology Account Protection",
        origin=nas_of(mail),
        kind=Kind.INFORMATIONAL,
        status=Status.INFORMATIONAL,
        message=sentence,
        evidence=(subject_event(mail),),
    )


PARSER = Parser(
    name="synology.account_protection",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en", "nl", "de"),
    looks_for="“Account Protection” in the subject of a NAS's notice",
    recognises=recognises,
    parse=parse,
)
