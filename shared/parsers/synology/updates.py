"""Synology DSM: an automatic update was planned or cancelled, packages are out of date, or both in one mail.

Subject  `[HOST] Automatic DSM update on HOST`, `Automatic DSM update cancelled`, `DSM update is ready`, `HOST Packages
         on HOST are out-of-date`, translated.
Body     a sentence or two, and `From HOST`. All three are one informational job of a NAS. English seen, Dutch
         and German assumed.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, badness
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.synology._notice import nas_of
from shared.parsers.text import one_line

SOFTWARE = "Synology DSM"
BACKUP_TYPE = "Updates"
JOB_NAME = "Synology Automatic Update"

INFO, W, F = Status.INFORMATIONAL, Status.WARNING, Status.FAILED

_DSM = (
    "automatic dsm update",
    "dsm update on",
    "dsm update is ready",
    "automatische dsm-update",
    "dsm-update op",
    "automatisches dsm-update",
)
_PACKAGES = ("packages on", "packages op", "package center", "pakete auf", "paket-zentrum", "paketzentrum")
_OLD = ("out-of-date", "out of date", "verouderd", "veraltet")
# What happened to the update, the worst first. A mail without any of these words says nothing.
_FATES = (
    (
        F,
        "DSM update failed",
        re.compile(r"\b(?:fail(?:ed|ure)|unable|could not|mislukt|fehlgeschlagen|konnte nicht|kon niet)\b"),
    ),
    (
        W,
        "DSM update cancelled",
        re.compile(r"\b(?:cancell?ed|postponed|geannuleerd|uitgesteld|abgebrochen|verschoben)\b"),
    ),
    (
        INFO,
        "DSM update",
        re.compile(
            r"\b(?:planned|scheduled|detected|available|found|released|ready|installed|updated to"
            r"|gepland|gedetecteerd|beschikbaar|gevonden|geïnstalleerd|bijgewerkt"
            r"|geplant|erkannt|verfügbar|gefunden|installiert|aktualisiert)\b"
        ),
    ),
)
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
    host = next((match["host"].rstrip(".") for each in _HOST if (match := each.search(text))), None) or nas_of(mail)
    told = [(INFO, "packages out of date")] if _tells_of_packages(lowered) else []
    fate = next(((status, summary) for status, summary, words in _FATES if words.search(lowered)), None)
    if any(words in lowered for words in _DSM):
        if fate is None:
            raise UnreadableMail("the mail doesn't say what became of the update", job_name=JOB_NAME, origin=host)
        told.insert(0, fate)
    elif fate and fate[0] is F:
        told.append((W, "something about them failed"))
    status = max((status for status, _ in told), key=badness)
    message = ", ".join(words for _, words in told)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=JOB_NAME,
        origin=host,
        kind=Kind.INFORMATIONAL,
        status=status,
        message=message,
        objects=(ObjectResult(name=host, type="NAS", status=status, message=message),) if host else (),
        evidence=tuple(words for _, words in told),
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
