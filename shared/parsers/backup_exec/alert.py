"""Veritas Backup Exec: the mail that goes with an alert.

Subject  `Backup Exec Alert: <category> (Server: "X")`, for alerts of a job followed by ` (Job: "Y")`. A job's
         name may hold quotes and brackets.
Body     one or two sentences, mostly after the same two brackets; with the option to send the job log the
         log follows, with `Job completion status: …`.
Seen     20.x to 22.x, English. The category tells what it is about and how bad it is, except `Job Completed`,
         where only the body does.
"""

import re
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, badness, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import fold, labels, one_line, wall_clock

SOFTWARE = "Veritas Backup Exec"
BACKUP_JOB = "Backup job"

_MARK = "backup exec alert:"
_SERVER = ' (Server: "'
_JOB = '") (Job: "'
_LINE_SIZE = 2000  # of a log only the beginning of a line says anything


@dataclass(frozen=True, slots=True)
class Category:
    """What an alert category stands for; `status` is None where the body decides."""

    backup_type: str
    status: Status | None
    kind: Kind = Kind.REGULAR


def _other(backup_type: str, status: Status) -> Category:
    return Category(backup_type, status, Kind.INFORMATIONAL)


# The severities are the vendor's own, from its list of alert categories.
CATEGORIES = {
    "job success": Category(BACKUP_JOB, Status.SUCCESS),
    "job completed": Category(BACKUP_JOB, None),
    "job completed with exceptions": Category(BACKUP_JOB, Status.WARNING),
    "job warning": Category(BACKUP_JOB, Status.WARNING),
    "backup job contains no data": Category(BACKUP_JOB, Status.WARNING),
    "job failed": Category(BACKUP_JOB, Status.FAILED),
    "job failure": Category(BACKUP_JOB, Status.FAILED),
    "job cancellation": Category(BACKUP_JOB, Status.FAILED),
    "job canceled": Category(BACKUP_JOB, Status.FAILED),
    "job start": Category(BACKUP_JOB, Status.INFORMATIONAL, Kind.EVENT),
    "catalog error": _other("Catalog", Status.FAILED),
    "database maintenance failure": _other("Database Maintenance", Status.FAILED),
    "database maintenance information": _other("Database Maintenance", Status.INFORMATIONAL),
    "general information": _other("General Information", Status.INFORMATIONAL),
    "install information": _other("Install", Status.INFORMATIONAL),
    "install warning": _other("Install", Status.WARNING),
    "library insert": _other("Media alert", Status.WARNING),
    "license and maintenance information": _other("License", Status.INFORMATIONAL),
    "license and maintenance warning": _other("License", Status.WARNING),
    "media error": _other("Media alert", Status.FAILED),
    "media information": _other("Media alert", Status.INFORMATIONAL),
    "media insert": _other("Media alert", Status.WARNING),
    "media intervention": _other("Media alert", Status.WARNING),
    "media overwrite": _other("Media alert", Status.WARNING),
    "media remove": _other("Media alert", Status.WARNING),
    "media warning": _other("Media alert", Status.WARNING),
    "sdr copy failed": _other("Disaster recovery information", Status.FAILED),
    "service start": _other("Service", Status.INFORMATIONAL),
    "service stop": _other("Service", Status.INFORMATIONAL),
    "software update error": _other("Software update", Status.FAILED),
    "software update information": _other("Software update", Status.INFORMATIONAL),
    "software update warning": _other("Software update", Status.WARNING),
    "storage error": _other("Storage", Status.FAILED),
    "storage information": _other("Storage", Status.INFORMATIONAL),
    "storage warning": _other("Storage", Status.WARNING),
    "tape alert error": _other("Tape alert", Status.FAILED),
    "tape alert information": _other("Tape alert", Status.INFORMATIONAL),
    "tape alert warning": _other("Tape alert", Status.WARNING),
}
# Worst first: the sentence about exceptions begins with the one about success.
SENTENCES = (
    ("the job failed", Status.FAILED),
    ("the job was canceled", Status.FAILED),
    ("the job was cancelled", Status.FAILED),
    ("the job was terminated", Status.FAILED),
    ("completed status: failed", Status.FAILED),
    ("completed status: canceled", Status.FAILED),
    ("however, the following conditions were encountered", Status.WARNING),
    ("completed with exceptions", Status.WARNING),
)
# A job that was failed over, resumed or recovered broke off; the job that took its place reports itself.
COMPLETION = {
    "successful": Status.SUCCESS,
    "completed with exceptions": Status.WARNING,
    "failed": Status.FAILED,
    "failed over": Status.FAILED,
    "resumed": Status.FAILED,
    "recovered": Status.FAILED,
    "canceled": Status.FAILED,
    "cancelled": Status.FAILED,
    "canceled, timed out": Status.FAILED,
    "canceled timed out": Status.FAILED,
    "missed": Status.FAILED,
}
_COMPLETION = "job completion status:"
_TELLING = ("final error:", "the job failed", "however, the following", _COMPLETION)
# Only at the end of its line: "The job completed successfully.  However, …" goes on.
_SUCCESS_ENDS = re.compile(r"(?:the job|\"\)|^) ?completed successfully\.?$")


@dataclass(frozen=True, slots=True)
class Subject:
    category: str
    server: str | None
    job: str | None


def recognises(mail: Mail) -> bool:
    return _MARK in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    subject = read_subject(mail.subject)
    category = CATEGORIES.get(fold(subject.category)) or _by_severity(subject.category)
    if category is None:
        raise UnreadableMail(
            f"unknown alert category {subject.category!r}", job_name=subject.job, origin=subject.server
        )
    try:
        status, evidence = _verdict(category, subject, mail.body)
    except UnreadableMail as problem:
        raise UnreadableMail(
            problem.reason, backup_type=category.backup_type, job_name=subject.job, origin=subject.server
        ) from problem
    message, log = _message(mail.body, subject), labels(mail.body)
    return Reading(
        software=SOFTWARE,
        backup_type=category.backup_type,
        job_name=subject.job,
        origin=subject.server,
        kind=category.kind,
        status=status,
        objects=_objects(subject, status, message),
        message=message,
        evidence=evidence,
        started_at=wall_clock(log.get("job started", "")),
        ended_at=wall_clock(log.get("job ended", "")),
    )


def read_subject(text: str) -> Subject:
    """Take the subject apart; the job's name ends at the subject's last `")`."""
    text = text[text.lower().find(_MARK) + len(_MARK) :]
    category, _, rest = text.partition(_SERVER)
    server, has_job, job = rest.partition(_JOB)
    server = server if has_job else server.rpartition('")')[0] or server
    job = job.rpartition('")')[0] or job
    return Subject(one_line(category), one_line(server) or None, one_line(job) or None)


def _by_severity(category: str) -> Category | None:
    """Return a category that newer versions added, if its last word says that it is bad; never a good one."""
    about, _, severity = category.rpartition(" ")
    status = {"error": Status.FAILED, "failure": Status.FAILED, "failed": Status.FAILED, "warning": Status.WARNING}
    found = status.get(severity.lower())
    return _other(about, found) if about and found else None


def _verdict(category: Category, subject: Subject, body: str) -> tuple[Status, tuple[str, ...]]:
    said, unknown = _said_by(body) if category.kind is Kind.REGULAR else ([], [])
    claims = [*said, *([(category.status, f"subject: {subject.category}")] if category.status else [])]
    if unknown and worst(status for status, _ in claims) is not Status.FAILED:
        raise UnreadableMail(f"unknown job completion status {unknown[0]!r}")
    if not claims:
        raise UnreadableMail("the body doesn't say how the job completed")
    status = worst(status for status, _ in claims)
    if not body.strip() and badness(status) <= badness(Status.SUCCESS):
        raise UnreadableMail("the body is empty")
    if status is Status.SUCCESS and not said:
        raise UnreadableMail("the body doesn't say that the job completed successfully")
    return status, tuple(words for found, words in claims if found is status)


def _said_by(body: str) -> tuple[list[tuple[Status, str]], list[str]]:
    """Return every verdict that the body gives, and the completion statuses that we don't know."""
    text = fold(body)
    found = [(status, words) for words, status in SENTENCES if words in text]
    if len(text) < _LINE_SIZE and _SUCCESS_ENDS.search(text):  # a mail server may have wrapped the sentence
        found.append((Status.SUCCESS, text[-40:]))
    unknown = []
    for line in body.split("\n"):
        folded = fold(line[:_LINE_SIZE])
        if _SUCCESS_ENDS.search(folded):
            found.append((Status.SUCCESS, folded[-40:]))
        _, marked, word = folded.partition(_COMPLETION)
        if marked:
            word = word.strip().rstrip(".")
            if word in COMPLETION:
                found.append((COMPLETION[word], f"{_COMPLETION} {word}"))
            else:
                unknown.append(word)
    return found, unknown


def _message(body: str, subject: Subject) -> str:
    """Return the sentence that tells most: what decided, else what the body begins with."""
    lines = [text for line in body.split("\n") if (text := _without_names(line[:_LINE_SIZE], subject))]
    telling = [at for at, line in enumerate(lines) if any(words in line.casefold() for words in _TELLING)]
    if not telling:
        return lines[0][:1000] if lines else ""
    start = telling[0]
    more = 3 if lines[start].endswith(":") else 0  # "the following conditions were encountered:"
    return " ".join(lines[start : start + 1 + more])[:1000]


def _without_names(line: str, subject: Subject) -> str:
    line, server, job = one_line(line), subject.server or "", subject.job or ""
    for known in (f'(Server: "{server}")', f'(Job: "{job}")', f"{job} --"):
        line = line.removeprefix(known).lstrip()
    return line


def _objects(subject: Subject, status: Status, message: str) -> tuple[ObjectResult, ...]:
    if subject.server is None or status is Status.INFORMATIONAL:
        return ()
    return (ObjectResult(name=subject.server, type="Server", status=status, message=message),)


PARSER = Parser(
    name="backup_exec.alert",
    software=SOFTWARE,
    backup_types=tuple(sorted({category.backup_type for category in CATEGORIES.values()})),
    languages=("en",),
    looks_for='Subject "Backup Exec Alert: <category> (Server: …)"; for "Job Completed" the body\'s sentence',
    recognises=recognises,
    parse=parse,
)
