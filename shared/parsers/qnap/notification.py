"""QNAP Notification Center: a job of Hybrid Backup Sync, or a notice of another app.

Subject  `[Info] [App] Notification from your device: NAS`; Italian without the blank: `[Error][App] Notifica dal
         dispositivo: NAS`. The first bracket is the severity, the second the app.
Body     `NAS Name:`, `Severity:`, `Date/Time: 2026/09/18 21:00:36`, `App Name:`, `Category:`, `Message: [App] …`.
         Labels follow the NAS's language, messages of backup jobs stay English. Seen in English and Italian;
         German, Dutch and French labels assumed.
"""

import re
from dataclasses import dataclass

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
_JOB = re.compile(
    r"(?P<act>started|finished|completed|failed to complete|failed to start|stopped|canceled|cancelled|paused|skipped)"
    r" (?P<type>backup|sync|restore|one-way sync|two-way sync|active sync) job:? ?[\"'“](?P<name>.{1,200})[\"'”]"
    r"(?P<rest>.{0,200})",
    re.IGNORECASE,
)
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
    "hybrid backup sync": JOBS,
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
    if fold(notice.app).startswith("hybrid backup sync"):
        return _of_job(notice)
    topic = _TOPICS.get(fold(notice.app), notice.app)
    return Reading(
        software=SOFTWARE,
        backup_type=topic,
        job_name=f"QNAP {topic}",
        origin=notice.nas,
        kind=Kind.INFORMATIONAL,
        status=notice.severity,
        message=notice.message,
        started_at=wall_clock(notice.when),
        evidence=(f"severity {notice.severity}",),
    )


def _notice(mail: Mail) -> _Notice:
    subject = _SUBJECT.fullmatch(one_line(mail.subject))
    assert subject is not None  # recognised by it
    facts = labels(mail.body)
    stated = [_SEVERITY[fold(subject["severity"])]]
    if word := first_label(facts, _SEVERITY_LABEL):
        if fold(word) not in _SEVERITY:
            raise UnreadableMail(f"unknown severity “{word}”", origin=subject["nas"])
        stated.append(_SEVERITY[fold(word)])
    message = first_label(facts, _MESSAGE_LABEL) or ""
    return _Notice(
        app=subject["app"].strip(),
        nas=first_label(facts, _NAS_LABEL) or subject["nas"].strip(),
        severity=max(stated, key=badness),
        message=message.removeprefix(f"[{subject['app']}]").strip(),
        when=first_label(facts, _TIME_LABEL) or "",
    )


def _of_job(notice: _Notice) -> Reading:
    job = _JOB.match(notice.message)
    if job is None or (verdict := _verdict(job, notice.severity)) is None:
        if notice.severity in (W, F):
            return _job_reading(notice, job["name"] if job else None, notice.severity, Kind.REGULAR)
        if job is None:
            raise UnreadableMail("the message states no result of a job", backup_type=JOBS, origin=notice.nas)
        return _job_reading(notice, job["name"], INFO, Kind.EVENT)
    kind = Kind.EVENT if fold(job["type"]) == "restore" else Kind.REGULAR
    return _job_reading(notice, job["name"], verdict, kind)


def _verdict(job: re.Match[str], severity: Status) -> Status | None:
    verdict = _ACTS[fold(job["act"])]
    if verdict is None:
        return None
    rest = fold(job["rest"])
    if "error" in rest or "warning" in rest:
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
