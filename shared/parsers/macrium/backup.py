"""Macrium Reflect: the mail sent when a backup, an image or a clone ends.

Subject  `<host> Macrium Reflect - Backup Success | Backup Failed | Backup with Warnings`, the factory setting.
         A site may write its own text around `Success`, `Warning` or `Failure`.
Body     `Success :)`, `Failed :(` or `Warning :|`, then whatever the site added: `Computer Name:`,
         `Backup definition:`, the log.
Seen     7.2 to X, English (the vendor ships no other text). Cancelled runs, and skipped ones where that is
         switched on, use the mail for failures. Only the host is named, unless the definition is.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, badness, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import first_label, fold, labels, one_line

SOFTWARE = "Macrium Reflect"
BACKUP_TYPE = "Image backup"

# The whole text after "Macrium Reflect - " and before the smiley.
STATUS = {
    "success": Status.SUCCESS,
    "successful": Status.SUCCESS,
    "completed successfully": Status.SUCCESS,
    "warning": Status.WARNING,
    "warnings": Status.WARNING,
    "with warning": Status.WARNING,
    "with warnings": Status.WARNING,
    "failed": Status.FAILED,
    "failure": Status.FAILED,
    "aborted": Status.FAILED,
    "cancelled": Status.FAILED,
    "canceled": Status.FAILED,
    "skipped": Status.FAILED,
}
COUNTERS = {"failure count": Status.FAILED, "error count": Status.FAILED, "warning count": Status.WARNING}
# Lines of the log, which a site can put into the mail.
LOG_LINES = {
    "backup aborted": Status.FAILED,
    "backup cancelled": Status.FAILED,
    "backup completed with": Status.WARNING,
}

_PRODUCT = "macrium reflect"
_SMILEY = re.compile(r"(?P<word>[A-Za-z ]{1,40}?) ?(?::\)|:\(|:\|)")
_NAMING = re.compile(r"(?:computer(?: name)?|machine name|(?:backup )?definition(?: file)?): ", re.IGNORECASE)
_LINE_SIZE = 500
_HEAD_LINES = 200  # names stand above the log

Claims = list[tuple[Status, str]]


def recognises(mail: Mail) -> bool:
    return _PRODUCT in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    host, words = _from_subject(mail.subject)
    lines = [one_line(line[:_LINE_SIZE]) for line in mail.body.split("\n") if line.strip()]
    found = labels("\n".join(lines[:_HEAD_LINES]))
    host = first_label(found, ("computer name", "computer", "machine name")) or host
    job = _definition(found) or host
    try:
        status, evidence = _verdict(words, lines)
    except UnreadableMail as problem:
        raise UnreadableMail(problem.reason, job_name=job, origin=host) from problem
    message = "" if status is Status.SUCCESS else _message(lines)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=job,
        origin=host,
        status=status,
        objects=(ObjectResult(name=host, type="Computer", status=status, message=message),) if host else (),
        message=message,
        evidence=evidence,
    )


def _from_subject(subject: str) -> tuple[str | None, str]:
    """Return the host before the product and the words of the result behind it."""
    at = subject.lower().index(_PRODUCT)
    before = subject[:at].strip(" -:|").split()  # a prefix may stand before the host, which has no blanks
    host = before[-1] if before and not before[-1].endswith((":", "]")) else None
    words = fold(subject[at + len(_PRODUCT) :]).strip(" -:|")
    for noun in ("backup ", "image ", "clone "):
        words = words.removeprefix(noun)
    return host, words


def _definition(found: dict[str, str]) -> str | None:
    """Return the name of the backup definition: its file's name without folder and ending."""
    path = first_label(found, ("backup definition", "backup definition file", "definition", "definition file"))
    name = path.replace("/", "\\").rpartition("\\")[2] if path else ""
    return name[:-4] if name.lower().endswith(".xml") else name or None


def _verdict(words: str, lines: list[str]) -> tuple[Status, tuple[str, ...]]:
    """Return the worst that subject and body say. Raise UnreadableMail where success isn't said by the body too."""
    said, unknown = _said_by(lines)
    claims = [*said, *_counted(lines)]
    if words in STATUS:
        claims.append((STATUS[words], f"subject: {words}"))
    status = worst((status for status, _ in claims), default=Status.SUCCESS)
    if status is not Status.FAILED and unknown:
        raise UnreadableMail(f"unknown result {unknown!r}")
    if status is Status.SUCCESS and words not in STATUS:
        raise UnreadableMail(f"unknown result {words!r} in the subject")
    if status is Status.SUCCESS and not said:
        raise UnreadableMail("the body doesn't say how the backup ended")
    return status, tuple(text for found_status, text in claims if found_status is status)


def _said_by(lines: list[str]) -> tuple[Claims, str]:
    """Return what the line with the smiley says, and its words when we don't know them."""
    for line in lines:
        smiley = _SMILEY.fullmatch(line)
        word = fold(smiley["word"] if smiley else line).removeprefix("backup ")
        if word in STATUS:
            return [(STATUS[word], line)], ""
        if smiley:
            return [], word
    return [], ""


def _counted(lines: list[str]) -> Claims:
    """Return what can only make it worse: counters above zero and lines of the log."""
    claims = []
    for line in lines:
        folded = line.casefold()
        label, _, count = folded.partition(": ")
        if label in COUNTERS and count.isascii() and count.isdigit() and count.strip("0"):
            claims.append((COUNTERS[label], folded))
        claims += [(status, text) for text, status in LOG_LINES.items() if folded.startswith(text)]
    return sorted(claims, key=_worst_first)[:20]


def _worst_first(claim: tuple[Status, str]) -> int:
    return -badness(claim[0])


def _message(lines: list[str]) -> str:
    """Return the body without the smiley and the lines that only name things."""
    return " ".join(line for line in lines if not _SMILEY.fullmatch(line) and not _NAMING.match(line))[:500]


PARSER = Parser(
    name="macrium.backup",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for='Subject "<host> Macrium Reflect - Backup Success" (Failed, with Warnings) and the same in the body',
    recognises=recognises,
    parse=parse,
)
