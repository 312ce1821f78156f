"""How a notice of Active Backup is read; the products differ in their name and their object type."""

from collections.abc import Callable, Iterator
from itertools import takewhile

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import UnreadableMail
from shared.parsers.synology._notice import event_lines, is_signature, nas_of, subject_event
from shared.parsers.synology._task_sentence import TaskSentence, task_sentence
from shared.parsers.text import first_label, fold, labels, size_in_bytes, wall_clock

_STARTED = ("start time", "starttijd", "startzeit", "heure de début", "ora d’inizio", "ora d'inizio", "starttidspunkt")
_ENDED = ("end time", "eindtijd", "endzeit", "heure de fin", "ora di fine", "sluttidspunkt")
_SIZE = (
    "transferred size",
    "data transferred",
    "overgedragen grootte",
    "übertragene grösse",  # labels are folded: ß is ss
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


def recogniser(*products: str) -> Callable[[Mail], bool]:
    """Return a test for mails of a product, by its names in lower case: in the subject, or before a task's sentence.

    A list of packages that need an update names the product too ("Active Backup for Business - 2.7.1"), but no task.
    """
    events = tuple(f"{product} - " for product in products)

    def recognises(mail: Mail) -> bool:
        subject = mail.subject.lower()
        return any(event in subject for event in events) or any(
            line.lower().startswith(events) and task_sentence(line) is not None for line in event_lines(mail)
        )

    return recognises


is_active_backup = recogniser(
    "active backup for business", "active backup for microsoft 365", "active backup for office 365"
)


def read_active_backup(mail: Mail, *, software: str, backup_type: str) -> Reading:
    """Return the task's reading. Raise UnreadableMail without a body that states the result of a good run."""
    in_subject = [sentence for sentence in (task_sentence(subject_event(mail)),) if sentence]
    in_body = [sentence for line in event_lines(mail) if (sentence := task_sentence(line))]
    told = in_body + in_subject
    if not told:
        raise UnreadableMail("the mail names no task and no result", backup_type=backup_type, origin=nas_of(mail))
    sentence = max(told, key=lambda each: each.nas is not None)  # the first that is whole
    stated = [each for each in told if each.status]
    status = worst((each.status for each in stated if each.status), default=Status.SUCCESS)
    proven = any(each.status for each in in_body) and all(each.understood for each in told)
    if not stated or (status is Status.SUCCESS and not proven):
        told_otherwise = any(not each.understood for each in in_subject)
        raise UnreadableMail(
            "the subject states a result that isn't known"
            if told_otherwise
            else "the body doesn't say how the task ended",
            backup_type=backup_type,
            job_name=sentence.task,
            origin=_origin(mail, sentence),
        )
    facts = labels(mail.body)
    devices = tuple(_devices(mail.body))
    return Reading(
        software=software,
        backup_type=backup_type,
        job_name=sentence.task,
        origin=_origin(mail, sentence),
        status=status,
        objects=_objects(devices, sentence.task, status),
        objects_complete=bool(devices),
        started_at=wall_clock(first_label(facts, _STARTED) or ""),
        ended_at=wall_clock(first_label(facts, _ENDED) or ""),
        size_bytes=size_in_bytes(first_label(facts, _SIZE) or ""),
        evidence=tuple(f"the task “{each.task}” {each.words}" for each in stated),
    )


def _origin(mail: Mail, sentence: TaskSentence) -> str | None:
    return sentence.nas or nas_of(mail)


def _objects(devices: tuple[str, ...], task: str, status: Status) -> tuple[ObjectResult, ...]:
    """Every device takes the task's result: the mail has none of its own for them."""
    kind = "Device" if devices else "Task"
    return tuple(ObjectResult(name=name, type=kind, status=status) for name in devices or (task,))


def _devices(body: str) -> Iterator[str]:
    """Yield the devices behind the label, whether separated by commas or on lines of their own."""
    lines = body.split("\n")
    for at, line in enumerate(lines):
        label, colon, value = line.partition(":")
        if colon and len(label) < 60 and fold(label) in _DEVICES:
            more = takewhile(_goes_on, lines[at + 1 :])
            yield from (name for part in (value, *more) for name in map(str.strip, part.split(",")) if name)
            return


def _goes_on(line: str) -> bool:
    return bool(line.strip()) and ":" not in line and not is_signature(line)
