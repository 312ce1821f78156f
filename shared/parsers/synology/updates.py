"""Synology DSM: an automatic update was planned or cancelled, packages are out of date, or both in one mail.

Subject  `[HOST] Automatic DSM update on HOST`, `HOST Packages on HOST are out-of-date`, translated.
Body     a sentence or two, and `From HOST`. All three are one informational job of a NAS. English seen, Dutch
         and German assumed.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.synology._notice import nas_of
from shared.parsers.text import one_line

SOFTWARE = "Synology DSM"
BACKUP_TYPE = "Updates"
JOB_NAME = "Synology Automatic Update"

_DSM = ("automatic dsm update", "dsm update on", "automatische dsm-update", "dsm-update op", "automatisches dsm-update")
_PACKAGES = ("packages on", "packages op", "package center", "pakete auf", "paket-zentrum", "paketzentrum")
_OLD = ("out-of-date", "out of date", "verouderd", "veraltet")
_CANCELLED = ("cancel", "geannuleerd", "abgebrochen", "annulé")
_HOST = (
    re.compile(r"\b(?:Packages|Pakete) (?:on|op|auf) (?P<host>[\w.-]+)", re.IGNORECASE),
    re.compile(r"\bDSM[- ]update (?:on|op|auf) (?P<host>[\w.-]+)", re.IGNORECASE),
)


def recognises(mail: Mail) -> bool:
    text = f"{mail.subject}\n{mail.body[:3000]}".lower()
    return any(words in text for words in _DSM) or _tells_of_packages(text)


def parse(mail: Mail) -> Reading:
    text = one_line(f"{mail.subject} {mail.body[:3000]}")
    lowered = text.lower()
    cancelled = any(word in lowered for word in _CANCELLED)
    about = [
        words
        for words, found in (
            ("DSM update cancelled" if cancelled else "DSM update", any(words in lowered for words in _DSM)),
            ("packages out of date", _tells_of_packages(lowered)),
        )
        if found
    ]
    status = Status.WARNING if cancelled else Status.INFORMATIONAL
    host = next((match["host"] for pattern in _HOST if (match := pattern.search(text))), None) or nas_of(mail)
    message = ", ".join(about)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=JOB_NAME,
        origin=host,
        kind=Kind.INFORMATIONAL,
        status=status,
        message=message,
        objects=(ObjectResult(name=host, type="NAS", status=status, message=message),) if host else (),
        evidence=tuple(about),
    )


def _tells_of_packages(lowered: str) -> bool:
    return any(words in lowered for words in _PACKAGES) and any(words in lowered for words in _OLD)


PARSER = Parser(
    name="synology.updates",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en", "nl", "de"),
    looks_for="“Automatic DSM update”, “Packages on NAS are out-of-date” or their translations",
    recognises=recognises,
    parse=parse,
)
