"""One session of a job, as the frame reports it: shared by the products whose mails have that frame."""

import re
from collections.abc import Iterator

from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.veeam._frame import Block
from shared.parsers.veeam._names import retry_of
from shared.parsers.veeam._subject import Subject
from shared.parsers.veeam._verdict import beside_objects, lists_everything, objects_of, verdict
from shared.parsers.veeam._words import Known, status_of

_UNAVAILABLE = re.compile(r"Virtual Machine (?P<name>.+) is unavailable and will be skipped from processing\.?")
_PROCESSING = re.compile(r"Processing (?P<name>.+?) Error: (?P<message>.+)")


def session_reading(block: Block, subject: Subject, known: Known, *, software: str, object_type: str) -> Reading:
    """Return what a block says of its job. Raise UnreadableMail when it proves no verdict."""
    is_failed = _is_failed(block, subject)
    objects = objects_of(block, object_type, known, is_failed=is_failed)
    if is_failed and not objects:
        objects = tuple(_named_in_notes(block, object_type))
    status, evidence = verdict(block, subject, objects, known)
    return Reading(
        software=software,
        backup_type=known.backup_type,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        objects=objects,
        objects_complete=lists_everything(block),
        started_at=block.started_at,
        ended_at=block.ended_at,
        size_bytes=block.size_bytes,
        retry=retry_of(block, subject),
        message="; ".join(filter(None, (" ".join(block.notes), *dict.fromkeys(beside_objects(block, objects))))),
        evidence=evidence,
    )


def _is_failed(block: Block, subject: Subject) -> bool:
    words = [*block.verdicts, subject.word]
    return Status.FAILED in map(status_of, words) or bool(block.count("error", "errors"))


def _named_in_notes(block: Block, object_type: str) -> Iterator[ObjectResult]:
    """Yield the machines that a job without rows names: nothing could even be started for them."""
    for note in block.notes:
        match = _UNAVAILABLE.fullmatch(note) or _PROCESSING.fullmatch(note)
        if match:
            message = match.groupdict().get("message") or note
            yield ObjectResult(name=match["name"], type=object_type, status=Status.FAILED, message=message)
