"""QNAP Notification Center: a job of Hybrid Backup Sync, or a notice of another app.

Subject  `[Info] [App] Notification from your device: NAS`; Italian without the blank: `[Error][App] Notifica dal
         dispositivo: NAS`. The first bracket is the severity, the second the app.
Body     `NAS Name:`, `Severity:`, `Date/Time: 2026/09/18 21:00:36`, `App Name:`, `Category:`, `Message: [App] …`.
         Labels follow the NAS's language, messages of backup jobs stay English. Seen in English and Italian;
         German, Dutch and French labels assumed.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, badness
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import first_label, fold, labels, one_line, wall_clock

SOFTWARE = "QNAP"
JOBS = "HBS 3"

INFO, S, W, F = Status.INFORMATIONAL, Status.SUCCESS, Status.WARNING, Status.FAILED
_SUBJECT = re.compile(
    r"(?:.{0,60} )?\[(?P<severity>Info|Information|Warning|Error)\] ?\[(?P<app>[^\]]{1,80})\] "
    r"(?:Notification from your device|Notifica dal dispositivo|Benachrichtigung von Ihrem Gerät"
    r"|Melding van uw apparaat|Notification de votre appareil): ?(?P<nas>\S.*)",
    re.IGNORECASE,
)
_SEVERITY = {
    "info": INFO, "information": INFO, "informazioni": INFO,
    "informationen": INFO, "informatie": INFO, "informations": INFO,
    "warning": W, "avviso": W, "warnung": W, "waarschuwing": W, "avertissement": W,
    "error": F, "errore": F, "fehler": F, "fout": F, "erreur": F,
}  # fmt: skip
_SEVERITY_LABEL = ("severity", "gravità", "schweregrad", "ernst", "gravité")
_NAS_LABEL = ("nas name", "nome nas", "nas-name", "nas-naam", "nom du nas")
_TIME_LABEL = ("date/time", "data/ora", "datum/uhrzeit", "datum/tijd", "date/heure")
_MESSAGE_LABEL = ("message", "messaggio", "nachricht", "meldung", "bericht")
# The name ends at the first closing quote with no letter behind it: what follows may hold quotes of its own.
_JOB = re.compile(
    r"(?P<act>started|finished|completed|failed to complete|failed to start|stopped|canceled|cancelled|paused|skipped)"
    r" (?P<type>backup|sync|restore|one-way sync|two-way sync|active sync) job:? ?(?P<quote>[\"'“])"
    r"(?P<name>.{1,200}?)(?:(?P=quote)|”)(?!\w)",
    re.IGNORECASE,
)
# An app may well say that it was stopped; behind "Finished Backup job" the same word is no good sign.
_BROKEN = re.compile(r"\b(?:fail|error|corrupt|degrad|crash|abnormal)", re.IGNORECASE)
_TROUBLE = re.compile(
    r"\b(?:fail|error|warning|corrupt|skip|incomplete|partial|interrupt|abort|stop|cancel|missing|denied|unable|not\b)"
    r"|n't\b",
    re.IGNORECASE,
)
_NO_TROUBLE = re.compile(r"\b(?:0|no|without) (?:failures?|errors?|warnings?)\b", re.IGNORECASE)
_TAG = re.compile(r"\[[^\]\n]{1,80}\]\s*")
# Their act → our verdict; None: the act is no result.
_ACTS: dict[str, Status | None] = {
    "started": None,
    "paused": None,
    "finished": S,
    "completed": S,
    "failed to complete": F,
    "failed to start": F,
    "stopped": F,
    "canceled": F,
    "cancelled": F,
    "skipped": F,
}
_TOPICS = {
    "storage & snapshots": "Storage",
    "firmware update": "Firmware Update",
    "app center": "App Center",
    "power": "Power",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Notice:
    app: str
    nas: str
    severity: Status
    message: str
    when: str


def recognises(mail: Mail) -> bool:
    return _SUBJECT.fullmatch(one_line(mail.subject)) is not None


def parse(mail: Mail) -> Reading:
    notice = _notice(mail)
    if "hybrid backup sync" in fold(notice.app) or fold(notice.app) == fold(JOBS):
        return _of_job(notice)
    topic = _TOPICS.get(fold(notice.app), notice.app)
    # Without any body the severity in the subject is all there is, and it says that nothing is wrong.
    if notice.severity is INFO and not notice.message and mail.body.strip():
        raise UnreadableMail("the body is cut before its message", backup_type=topic, origin=notice.nas)
    # Some failures come with severity Info: the words and the severity contradict, so the worse wins.
    status = max(notice.severity, W, key=badness) if _holds(_BROKEN, notice.message) else notice.severity
    return Reading(
        software=SOFTWARE,
        backup_type=topic,
        job_name=f"QNAP {topic}",
        origin=notice.nas,
        kind=Kind.INFORMATIONAL,
        status=status,
        message=notice.message,
        started_at=wall_clock(notice.when),
        evidence=(f"severity {notice.severity}", notice.message),
    )


def _notice(mail: Mail) -> _Notice:
    subject = _SUBJECT.fullmatch(one_line(mail.subject))
    assert subject is not None  # recognised by it
    facts = labels(mail.body)
    origin = first_label(facts, _NAS_LABEL) or subject["nas"].strip()
    stated = [_SEVERITY[fold(subject["severity"])]]
    if word := first_label(facts, _SEVERITY_LABEL):
        if fold(word) not in _SEVERITY:
            raise UnreadableMail(f"unknown severity “{word}”", origin=origin)
        stated.append(_SEVERITY[fold(word)])
    return _Notice(
        app=subject["app"].strip(),
        nas=origin,
        severity=max(stated, key=badness),
        message=_message(mail.body),
        when=first_label(facts, _TIME_LABEL) or "",
    )


def _message(body: str) -> str:
    """Return the whole message without its `[App]`: a relay may have broken it over lines, and its end counts."""
    lines = body.split("\n")
    for at, line in enumerate(lines):
        label, colon, value = line.partition(":")
        if colon and len(label) < 30 and fold(label) in _MESSAGE_LABEL:
            text = one_line(" ".join((value, *takewhile(str.strip, lines[at + 1 :]))))
            tag = _TAG.match(text)
            return text[tag.end() :] if tag else text
    return ""


def _holds(words: re.Pattern[str], text: str) -> bool:
    return words.search(_NO_TROUBLE.sub("", text)) is not None


def _of_job(notice: _Notice) -> Reading:
    job = _JOB.match(notice.message)
    if job is None:
        if notice.severity is F:
            return _job_reading(notice, None, F, Kind.REGULAR)
        # Even with severity Warning: "Stopped" and "Canceled" come with it too, and they are failures.
        raise UnreadableMail("the message states no result of a job", backup_type=JOBS, origin=notice.nas)
    verdict = _verdict(job, notice.severity)
    if verdict is None:
        went_wrong = notice.severity in (W, F)
        return _job_reading(notice, job["name"], notice.severity, Kind.REGULAR if went_wrong else Kind.EVENT)
    kind = Kind.EVENT if fold(job["type"]) == "restore" else Kind.REGULAR
    return _job_reading(notice, job["name"], verdict, kind)


def _verdict(job: re.Match[str], severity: Status) -> Status | None:
    verdict = _ACTS[fold(job["act"])]
    if verdict is None:
        return None
    if _holds(_TROUBLE, job.string[job.end() :]):
        verdict = max(verdict, W, key=badness)
    return max(verdict, severity, key=badness)


def _job_reading(notice: _Notice, name: str | None, status: Status, kind: Kind) -> Reading:
    thing = ObjectResult(name=name, type="Job", status=status, message=notice.message) if name else None
    return Reading(
        software=SOFTWARE,
        backup_type=JOBS,
        job_name=name,
        origin=notice.nas,
        kind=kind,
        status=status,
        message=notice.message,
        objects=(thing,) if thing else (),
        ended_at=wall_clock(notice.when),
        evidence=(notice.message or f"severity {notice.severity}",),
    )


PARSER = Parser(
    name="qnap.notification",
    software=SOFTWARE,
    backup_types=(JOBS, "Storage", "App Center", "Firmware Update", "Power"),
    languages=("en", "it", "de", "nl", "fr"),
    looks_for="“[Info] [App] Notification from your device: NAS” as the subject, or its translations",
    recognises=recognises,
    parse=parse,
)
