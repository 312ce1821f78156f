"""How a notice of Active Backup is read; the products differ in their name and their object type."""

from collections.abc import Callable

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import UnreadableMail
from shared.parsers.synology._notice import event_lines, nas_of, subject_event
from shared.parsers.synology._task_sentence import TaskSentence, task_sentence
from shared.parsers.text import first_label, labels, size_in_bytes, wall_clock

_STARTED = ("start time", "starttijd", "startzeit", "heure de début", "ora d’inizio", "ora d'inizio", "starttidspunkt")
_ENDED = ("end time", "eindtijd", "endzeit", "heure de fin", "ora di fine", "sluttidspunkt")
_SIZE = (
    "transferred size",
    "data transferred",
    "overgedragen grootte",
    "übertragene größe",
    "taille transférée",
    "dimensioni trasferite",
    "overført størrelse",
)
_DEVICES = (
    "device list",
    "apparatenlijst",
    "geräteliste",
    "liste des périphériques",
    "elenco dispositivi",
    "enhedsliste",
)


def recogniser(product: str) -> Callable[[Mail], bool]:
    """Return a test for mails of `product` (in lower case): its name is in the subject or begins the event.

    A list of packages that need an update names the product too, but begins no line with it.
    """

    def recognises(mail: Mail) -> bool:
        event = f"{product} - "
        return event in mail.subject.lower() or any(line.lower().startswith(event) for line in event_lines(mail))

    return recognises


def read_active_backup(mail: Mail, *, software: str, backup_type: str) -> Reading:
    """Return the task's reading. Raise UnreadableMail without a body that states the result of a good run."""
    in_subject = task_sentence(subject_event(mail))
    in_body = next((found for line in event_lines(mail) if (found := task_sentence(line))), None)
    sentence = in_body or in_subject
    if sentence is None:
        raise UnreadableMail("the mail names no task and no result", backup_type=backup_type, origin=nas_of(mail))
    stated = [each for each in (in_subject, in_body) if each and each.status]
    status = worst((each.status for each in stated if each.status), default=Status.SUCCESS)
    if not stated or (status is Status.SUCCESS and not (in_body and in_body.status)):
        raise UnreadableMail(
            "the body doesn't say how the task ended",
            backup_type=backup_type,
            job_name=sentence.task,
            origin=_origin(mail, sentence),
        )
    facts = labels(mail.body)
    return Reading(
        software=software,
        backup_type=backup_type,
        job_name=sentence.task,
        origin=_origin(mail, sentence),
        status=status,
        objects=_objects(first_label(facts, _DEVICES), sentence.task, status),
        objects_complete=first_label(facts, _DEVICES) is not None,
        started_at=wall_clock(first_label(facts, _STARTED) or ""),
        ended_at=wall_clock(first_label(facts, _ENDED) or ""),
        size_bytes=size_in_bytes(first_label(facts, _SIZE) or ""),
        evidence=tuple(f"the task “{each.task}” {each.words}" for each in stated),
    )


def _origin(mail: Mail, sentence: TaskSentence) -> str | None:
    return sentence.nas or nas_of(mail)


def _objects(devices: str | None, task: str, status: Status) -> tuple[ObjectResult, ...]:
    """Every device takes the task's result: the mail has none of its own for them."""
    names = [name.strip() for name in (devices or "").split(",") if name.strip()]
    kind = "Device" if names else "Task"
    return tuple(ObjectResult(name=name, type=kind, status=status) for name in names or [task])
