"""burp: the mail that its server's notification script sends after a backup or a restore.

Subject  `backup succeeded: <client>`, `backup succeeded with warnings: <client> (2 warnings)`,
         `backup failed: <client>`; `restore …` and other operations likewise.
Body     text: the backup's number and time, `Last 1000 lines of <path>/log.gz:` and the end of that log, which
         ends with `Backup completed.` once the backup is in place. A failure may have one line only.
Seen     1.x to 2.3, English; messages of Windows clients come in the client's language. Some versions lose the
         number of warnings in the subject, and have said "succeeded" for backups that never finished.
"""

import re
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import one_line, wall_clock

SOFTWARE = "burp"
BACKUP_TYPE = "burp backup"

STATUS = {
    "succeeded": Status.SUCCESS,
    "succeeded with warnings": Status.WARNING,
    "failed": Status.FAILED,
}

_SUBJECT = re.compile(
    r"(?:(?:fwd?|re|tr|wg):\s*|\[[^\[\]]{0,80}\]\s*){0,5}(?P<operation>backup|restore|verify|list|delete) "
    r"(?P<word>[a-z ]{4,40}): (?P<client>\S+)(?: \((?P<warnings>\d{1,9}) warnings?\))?\s*",
    re.IGNORECASE,
)
_HEAD = re.compile(r"\d{7} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?")
_DONE = re.compile(r"\S.{0,80}\bburp\[\d+\]:? Backup completed\.?")
_WARNING = re.compile(r".{0,80}\bburp\[\d+\]:? WARNING: (?P<text>.*)")
_FAILURE = re.compile(
    r".{0,80}\bburp\[\d+\]:? (?P<text>Backup failed\b.*|error in .*)|(?P<bare>error in .*)", re.IGNORECASE
)
# burp itself doesn't count this one.
_VERSIONS_DIFFER = "does not match server version"
_LINE_SIZE = 1000

Claims = list[tuple[Status, str]]


@dataclass(frozen=True, slots=True)
class Log:
    completed: bool
    warnings: tuple[str, ...]
    failures: tuple[str, ...]


def recognises(mail: Mail) -> bool:
    found = _SUBJECT.fullmatch(mail.subject)
    return found is not None and found["word"].lower().split()[0] in ("succeeded", "failed")


def parse(mail: Mail) -> Reading:
    found = _SUBJECT.fullmatch(mail.subject)
    if found is None:
        raise UnreadableMail("the subject is not burp's")
    lines = [one_line(line[:_LINE_SIZE]) for line in mail.body.split("\n") if line.strip()]
    log, client = _log(lines), found["client"]
    is_backup = found["operation"].lower() == "backup"
    try:
        if not lines and found["word"].lower() == "succeeded":
            raise UnreadableMail("the body is empty")  # noqa: TRY301 -- it needs the names that are added below
        status, evidence = _verdict(found["word"].lower(), int(found["warnings"] or 0), log, is_backup=is_backup)
    except UnreadableMail as problem:
        raise UnreadableMail(problem.reason, job_name=client, origin=client) from problem
    head = next((line for line in lines[:5] if _HEAD.fullmatch(line)), None)
    message = next(iter((*log.failures, *log.warnings)), "")
    if not message and status is Status.FAILED and lines:
        message = lines[-1]
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=client,
        origin=client,
        kind=Kind.REGULAR if is_backup else Kind.EVENT,
        status=status,
        objects=(ObjectResult(name=client, type="Client", status=status, message=message),),
        started_at=wall_clock(head[8:]) if head else None,
        ended_at=wall_clock(lines[-1][:30]) if lines and log.completed else None,
        session_id=head,
        message=message,
        evidence=evidence,
    )


def _log(lines: list[str]) -> Log:
    warnings = [match["text"] for line in lines if (match := _WARNING.fullmatch(line))]
    failures = [match["text"] or match["bare"] for line in lines if (match := _FAILURE.fullmatch(line))]
    return Log(
        completed=any(_DONE.fullmatch(line) for line in lines),
        warnings=tuple(text for text in warnings if _VERSIONS_DIFFER not in text),
        failures=tuple(failures),
    )


def _verdict(word: str, warnings: int, log: Log, *, is_backup: bool) -> tuple[Status, tuple[str, ...]]:
    """Return the worst that subject and log say. Raise UnreadableMail where the log doesn't reach its end."""
    claims: Claims = [(Status.FAILED, f"log: {text}") for text in log.failures]
    claims += [(Status.WARNING, f"log: WARNING: {text}") for text in log.warnings]
    if warnings:
        claims.append((Status.WARNING, f"subject: {warnings} warnings"))
    if word in STATUS:
        claims.append((STATUS[word], f"subject: {word}"))
    status = worst((status for status, _ in claims), default=Status.SUCCESS)
    if status is not Status.FAILED and word not in STATUS:
        raise UnreadableMail(f"unknown result {word!r}")
    if status is Status.SUCCESS and is_backup and not log.completed:
        raise UnreadableMail('the log doesn\'t reach "Backup completed."')
    if status is Status.SUCCESS and log.completed:
        claims.append((Status.SUCCESS, "log: Backup completed."))
    return status, tuple(text for found, text in claims if found is status)[:10]


PARSER = Parser(
    name="burp.notification",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for='Subject "backup succeeded: <client>", "backup failed: <client>"; the log\'s "Backup completed."',
    recognises=recognises,
    parse=parse,
)
