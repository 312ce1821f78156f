"""Synology Hyper Backup: a data backup task ended.

Subject  `Data backup task on <NAS> was successful | failed | partially completed`, translated; backups to
         Synology C2 `Synology C2 cloud backup - <task> successful on <NAS>`.
Body     `Your backup task was successful on <NAS>.`, `Backup Task:`, `Backup Target: <share> / <name>.hbk`,
         `Start Time:`, `Duration:`, `From <NAS>` and in newer versions an advert. Short notices and those by
         webhook state the sentence alone and name no task. Seen in English and German; Dutch, French and
         Italian assumed.
"""

import re
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.synology._active_backup import is_active_backup
from shared.parsers.synology._notice import event_lines, subject_event
from shared.parsers.text import duration, first_label, fold, labels, wall_clock

SOFTWARE = "Synology Hyper Backup"
BACKUP_TYPE = "Hyper Backup"

S, W, F = Status.SUCCESS, Status.WARNING, Status.FAILED
RESULTS = {
    "was successful": S,
    "is successful": S,
    "successful": S,
    "was partially completed": W,
    "has been partially completed": W,
    "partially completed": W,
    "failed": F,
    "has failed": F,
    "was canceled": F,
    "was cancelled": F,
    "has been canceled": F,
    "canceled": F,
    "war erfolgreich": S,
    "wurde erfolgreich abgeschlossen": S,
    "wurde teilweise abgeschlossen": W,
    "ist fehlgeschlagen": F,
    "wurde abgebrochen": F,
    "is geslaagd": S,
    "is gedeeltelijk voltooid": W,
    "is mislukt": F,
    "is geannuleerd": F,
    "a réussi": S,
    "est partiellement terminée": W,
    "a échoué": F,
    "a été annulée": F,
    "è riuscita": S,
    "è stata parzialmente completata": W,
    "non è riuscita": F,
    "è stata annullata": F,
}
_SENTENCES = (
    re.compile(r"(?:\S+ )?data backup task on (?P<nas>\S+) (?P<words>[^\d\W][\w ]{3,50}?)\.?", re.IGNORECASE),
    re.compile(r"your backup task (?P<words>[a-z ]{4,50}?) on (?P<nas>\S+?)\.?", re.IGNORECASE),
    re.compile(
        r"(?P<task>synology c2 cloud backup - .{1,200}) (?P<words>[a-z]+(?: [a-z]+)?) on (?P<nas>\S+)", re.IGNORECASE
    ),
    re.compile(r"(?:\S+ )?die datensicherung auf (?P<nas>\S+) (?P<words>[^\d\W][\w ]{3,50}?)\.?", re.IGNORECASE),
    re.compile(
        r"(?:\S+ )?(?:uw )?gegevensback-uptaak op (?P<nas>\S+) (?P<words>[^\d\W][\w ]{3,50}?)\.?", re.IGNORECASE
    ),
    re.compile(
        r"(?:\S+ )?la tâche de sauvegarde de données sur (?P<nas>\S+) (?P<words>[^\d\W][\w ]{3,50}?)\.?", re.IGNORECASE
    ),
    re.compile(
        r"(?:\S+ )?l['’]attività di backup dei dati su (?P<nas>\S+) (?P<words>[^\d\W][\w ]{3,50}?)\.?", re.IGNORECASE
    ),
)
_REPORT = ("your backup task ", "uw gegevensback-uptaak ")
_LONGEST = 1_000
_TASK = ("backup task", "datensicherungsaufgabe", "back-uptaak", "tâche de sauvegarde", "attività di backup")
_TARGET = ("backup target", "sicherungsziel", "back-updoel", "destination de sauvegarde", "destinazione di backup")
_START = ("start time", "start", "starttijd", "heure de début", "ora di inizio")
_DURATION = ("duration", "dauer", "duur", "durée", "durata")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sentence:
    nas: str
    words: str
    task: str | None
    in_body: bool
    heads_report: bool  # of the long layout, which always goes on to name the task

    @property
    def status(self) -> Status | None:
        return RESULTS.get(self.words)


def recognises(mail: Mail) -> bool:
    return bool(_told(mail)) and not is_active_backup(mail)


def parse(mail: Mail) -> Reading:
    told = _told(mail)
    sentence = told[0]
    facts = labels(mail.body)
    task = first_label(facts, _TASK) or next((each.task for each in told if each.task), None)
    stated = [each for each in told if each.status]
    status = worst((each.status for each in stated if each.status), default=S)
    # Where one of them says something unknown, the others alone prove no success.
    if not stated or (status is S and not (sentence.in_body and len(stated) == len(told))):
        raise UnreadableMail("the body doesn't say how the task ended", job_name=task, origin=sentence.nas)
    if status is S and task is None and any(each.heads_report for each in told):
        raise UnreadableMail("the body is cut before the name of the task", origin=sentence.nas)
    target = first_label(facts, _TARGET)
    started_at, took = wall_clock(first_label(facts, _START) or ""), duration(first_label(facts, _DURATION) or "")
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=task,
        origin=sentence.nas,
        status=status,
        objects=_objects(target, status, mail.body),
        objects_complete=target is not None,
        started_at=started_at,
        ended_at=started_at + took if started_at and took is not None else None,
        evidence=tuple(f"the backup on {each.nas} {each.words}" for each in stated),
    )


def _told(mail: Mail) -> list[_Sentence]:
    """Return the sentences about a task, those of the body first."""
    in_body = [found for line in event_lines(mail) if (found := _sentence(line, in_body=True))]
    in_subject = _sentence(subject_event(mail), in_body=False)
    return [*in_body, in_subject] if in_subject else in_body


def _sentence(text: str, *, in_body: bool) -> _Sentence | None:
    if len(text) > _LONGEST:
        return None
    for pattern in _SENTENCES:
        if match := pattern.fullmatch(text):
            parts = match.groupdict()
            heads_report = fold(text).startswith(_REPORT)
            words = fold(parts["words"])
            return _Sentence(
                nas=parts["nas"], words=words, task=parts.get("task"), in_body=in_body, heads_report=heads_report
            )
    return None


def _objects(target: str | None, status: Status, body: str) -> tuple[ObjectResult, ...]:
    if target is None:
        return ()
    message = "" if status is S else next((line.strip() for line in body.split("\n") if line.strip()), "")
    return (ObjectResult(name=target, type="Destination", status=status, message=message),)


PARSER = Parser(
    name="synology.hyper_backup",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en", "de", "nl", "fr", "it"),
    looks_for="“Data backup task on NAS …”, “Synology C2 cloud backup - …” or their translations",
    recognises=recognises,
    parse=parse,
)
