"""Kopia: the report of one or several snapshots of a host.

Subject  `Successfully created a snapshot of <path> on <host>`, `Successfully created 3 snapshots on <host>`,
         `Failed to create 1 of 4 snapshots on <host>`, before 0.19 also `Kopia created 3 snapshots on <host>`.
         Only fatal sources count there: it says "Successfully" of incomplete ones and of those with failed entries.
Body     text: a block per source (`Path:`, `Status:`, `Start:`, `Size:`, perhaps `Error:` and `Failed Entries:`);
         HTML: a row per source, whose class is the status, and further rows for the error and the failed
         entries. The last line is `Generated at … by Kopia <version>.`
Seen     0.18 to 0.21, always English.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, badness, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.kopia._sources import Source, is_whole, sources
from shared.parsers.text import one_line, size_in_bytes, wall_clock

SOFTWARE = "Kopia"
BACKUP_TYPE = "Snapshot"
STATUS = {
    "success": Status.SUCCESS,
    "warnings": Status.WARNING,
    "incomplete": Status.FAILED,  # stopped before its end: cancelled, or a limit was reached
    "error": Status.FAILED,
    "fatal": Status.FAILED,
    "successfully created": Status.SUCCESS,
    "failed to create": Status.FAILED,
}

_SUBJECT = re.compile(
    r"(?P<word>Successfully created|Failed to create|Kopia created) "
    r"(?:a snapshot of (?P<path>.{1,1000})|(?:(?P<bad>\d+) of )?(?P<count>\d+) snapshots?) on (?P<host>[^\s/]+)$",
    re.IGNORECASE,
)


def recognises(mail: Mail) -> bool:
    return _subject(mail) is not None


def _subject(mail: Mail) -> re.Match[str] | None:
    return _SUBJECT.search(one_line(mail.subject))


def parse(mail: Mail) -> Reading:
    subject = _subject(mail)
    assert subject is not None  # recognises() saw it
    found = sources(mail)
    host = subject["host"]
    try:
        status, evidence = _verdict(subject, found, whole=is_whole(mail))
    except UnreadableMail as problem:
        raise UnreadableMail(problem.reason, job_name=host, origin=host) from problem
    starts = [moment for source in found if (moment := wall_clock(source.started)) and moment.year > 1970]
    sizes = [size for source in found if (size := size_in_bytes(source.size)) is not None]
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=host,
        origin=host,
        status=status,
        objects=tuple(_object(source) for source in found),
        started_at=min(starts, default=None),
        size_bytes=sum(sizes) if sizes else None,
        message=next((source.message for source in sorted(found, key=_rank, reverse=True) if source.message), ""),
        evidence=evidence,
    )


def _verdict(subject: re.Match[str], found: tuple[Source, ...], *, whole: bool) -> tuple[Status, tuple[str, ...]]:
    said = STATUS.get(subject["word"].lower())
    status = worst([_status(source) for source in found], default=Status.SUCCESS)
    if Status.FAILED in (said, status):
        return Status.FAILED, tuple(_evidence(subject, found, Status.FAILED))
    if unknown := [source.word for source in found if source.word not in STATUS]:
        raise UnreadableMail(f"unknown status {unknown[0]!r}")
    if not found:
        raise UnreadableMail("the body lists no snapshot")
    if status is Status.SUCCESS and not whole:
        raise UnreadableMail("the body was cut before “Generated at”")
    if len(found) < int(subject["count"] or 1):
        raise UnreadableMail(f"the body lists {len(found)} of {subject['count'] or 1} snapshots")
    return status, tuple(_evidence(subject, found, status))


def _evidence(subject: re.Match[str], found: tuple[Source, ...], status: Status) -> list[str]:
    words = [f"subject: {subject['word']}"] if STATUS.get(subject["word"].lower()) is status else []
    deciding = [source for source in found if _status(source) is status]
    return words + [f"{source.path}: {source.message or source.word}" for source in deciding[:5]]


def _status(source: Source) -> Status:
    """Return the worst of a source's word, its error and its failed entries."""
    proofs = [STATUS.get(source.word, Status.WARNING)]
    proofs += [Status.FAILED] if source.error else []
    proofs += [Status.WARNING] if source.failed_entries else []
    return worst(proofs)


def _rank(source: Source) -> int:
    return badness(_status(source))


def _object(source: Source) -> ObjectResult:
    status = _status(source)
    message = source.message or ("" if status is Status.SUCCESS else source.word)
    return ObjectResult(name=source.path, type="Path", status=status, message=message)


PARSER = Parser(
    name="kopia.snapshot_report",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Successfully created” or “Failed to create”, then “snapshot(s) … on host”",
    recognises=recognises,
    parse=parse,
)
