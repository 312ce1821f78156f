"""Proxmox Backup Server: the mail sent when a job on a datastore ends.

Subject  `Garbage Collect Datastore 'x' successful|failed`, `Verify Datastore 'x' …`, `Pruning datastore 'x' …`,
         `Sync remote 'r' datastore 'x' …`, `Sync local datastore 'x' …`, `Tape Backup ['job'] datastore 'x' …`.
         For a sync the subject names the source's store, the body (`Datastore:`) the one written to.
Body     `Job ID:` (not for garbage collection, nor for a run by hand), `Datastore:`, figures, then the sentence
         `<Work> successful.` or `<Work> failed: <why>`, and a link to the web interface. Plain text.
Seen     2.x to 4.x, always English.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.proxmox._node import machine
from shared.parsers.text import labels, one_line

SOFTWARE = "Proxmox Backup Server"
STATUS = {"successful": Status.SUCCESS, "failed": Status.FAILED}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    backup_type: str
    in_body: str  # how the body's verdict sentence begins
    subject: re.Pattern[str]


def _work(backup_type: str, in_body: str, in_subject: str) -> _Work:
    subject = re.compile(rf"\b{in_subject} '(?P<store>[^']+)' (?P<word>\w+)", re.IGNORECASE)
    return _Work(backup_type=backup_type, in_body=in_body, subject=subject)


WORKS = (
    _work("Garbage Collection", "Garbage collection", "Garbage Collect Datastore"),
    _work("Verification", "Verification", "Verify Datastore"),
    _work("Prune", "Pruning", "Pruning datastore"),
    _work("Sync", "Synchronization", "Sync (?:remote '[^']+'|local) datastore"),
    _work("Tape Backup", "Tape Backup", "Tape Backup (?:'(?P<job>[^']+)' )?datastore"),
)

_BAD_SNAPSHOTS = "Verification failed on these snapshots/groups:"
_BAD_CHUNKS = ("removed bad chunks", "leftover bad chunks")


def recognises(mail: Mail) -> bool:
    return _found_in(mail.subject) is not None


def _found_in(subject: str) -> tuple[_Work, re.Match[str]] | None:
    folded = one_line(subject)
    return next(((work, match) for work in WORKS if (match := work.subject.search(folded))), None)


def parse(mail: Mail) -> Reading:
    found = _found_in(mail.subject)
    assert found is not None  # recognises() saw it
    work, subject = found
    facts = labels(mail.body)
    job_name = _job_name(work, subject, facts)
    lines = [line.strip() for line in mail.body.split("\n")]
    why = _why_failed(work, lines)
    try:
        status, evidence = _verdict(work, subject["word"].lower(), lines, why)
    except UnreadableMail as problem:
        raise UnreadableMail(
            problem.reason, backup_type=work.backup_type, job_name=job_name, origin=machine(mail)
        ) from problem
    if status is Status.SUCCESS and (bad := [name for name in _BAD_CHUNKS if facts.get(name, "0") != "0"]):
        status, why = Status.WARNING, f"{bad[0]}: {facts[bad[0]]}"
        evidence = (*evidence, why)
    return Reading(
        software=SOFTWARE,
        backup_type=work.backup_type,
        job_name=job_name,
        origin=machine(mail),
        status=status,
        objects=_objects(work, status, facts.get("datastore") or subject["store"], lines, why or ""),
        session_id=facts.get("task id") or None,
        message=why or "",
        evidence=evidence,
    )


def _job_name(work: _Work, subject: re.Match[str], facts: dict[str, str]) -> str | None:
    """Return the job's id, or the datastore where the mail is whole and has no id."""
    named = facts.get("job id") or subject.groupdict().get("job")
    if named or work.backup_type != "Garbage Collection":
        # The subject's store may be another than the job's: it can't stand for a body that is missing.
        return named or facts.get("datastore") or None
    return subject["store"]


def _verdict(work: _Work, word: str, lines: Sequence[str], why: str | None) -> tuple[Status, tuple[str, ...]]:
    if why is not None:
        return Status.FAILED, (f"body: {work.in_body} failed",)
    if word not in STATUS:
        raise UnreadableMail(f"unknown status {word!r} in the subject")
    if STATUS[word] is Status.FAILED:
        return Status.FAILED, (f"subject: {word}",)
    sentence = f"{work.in_body} successful."
    if sentence not in lines:
        raise UnreadableMail(f"the body lacks “{sentence}”")
    return Status.SUCCESS, (f"subject: {word}", f"body: {sentence}")


def _why_failed(work: _Work, lines: Sequence[str]) -> str | None:
    """Return the cause that the body states (perhaps empty), or None when it tells of no failure."""
    start = f"{work.in_body} failed"
    if _BAD_SNAPSHOTS in lines:
        return f"{len(_paragraph_after(_BAD_SNAPSHOTS, lines))} snapshots or groups are damaged"
    for line in lines:
        if line.startswith(start):
            return line.removeprefix(start).lstrip(": ")
    return None


def _objects(work: _Work, status: Status, store: str, lines: Sequence[str], message: str) -> tuple[ObjectResult, ...]:
    """Return the snapshots named one by one, else the datastore."""
    named: list[str] = []
    if work.backup_type == "Verification" and status is Status.FAILED:
        named = _paragraph_after(_BAD_SNAPSHOTS, lines)
        message = ""
    elif work.backup_type == "Tape Backup" and status is Status.SUCCESS:
        named = _paragraph_after("Snapshots included:", lines)
    if named:
        return tuple(ObjectResult(name=name, type="Snapshot", status=status, message=message) for name in named)
    return (ObjectResult(name=store, type="Datastore", status=status, message=message),)


def _paragraph_after(heading: str, lines: Sequence[str]) -> list[str]:
    """Return the lines after `heading` and the empty lines below it, up to the next empty one."""
    found: list[str] = []
    for line in lines[lines.index(heading) + 1 :] if heading in lines else ():
        if not line and found:
            break
        if line:
            found.append(line)
    return found


PARSER = Parser(
    name="proxmox.pbs_job",
    software=SOFTWARE,
    backup_types=tuple(work.backup_type for work in WORKS),
    languages=("en",),
    looks_for="the subject “Garbage Collect Datastore”, “Verify Datastore”, “Pruning datastore”, “Sync remote/local "
    "datastore” or “Tape Backup datastore” with a quoted name",
    recognises=recognises,
    parse=parse,
)
