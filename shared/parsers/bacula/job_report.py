"""Bacula and Bareos: the mail with a job's messages and its report.

Subject  `Bacula: <operation> <how it ended> of <client> <level>` by default (`Bareos: …` there); it is set by
         the MailCommand and can be anything.
Body     text: the messages of the job's daemons (their time prefix can be changed), among them the report, a
         block of indented `Label:   value` lines that ends with `Termination:`. Messages about pruning follow.
Seen     Bacula 2.4 to 9.6, Bareos alike, English. A Bacula bug cuts the report within a long `Volume name(s):`
         line, so that `Termination:` is missing: such a mail proves no success.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.bacula._words import DAEMON_ENDINGS, ENDINGS, OPERATIONS, Operation, split_ending
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import first_label, labels, one_line, wall_clock

SOFTWARE = "Bacula"

_SUBJECT = re.compile(r"\b(?:bacula|bareos): (?P<words>[^\n]{1,80}?) of (?P<client>\S+)", re.IGNORECASE)
_JOB_ID = re.compile(r"(?P<name>.+)\.\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d[._]\d+")
_TERMINATION = re.compile(r"[ \t]*Termination:[ \t]*(?P<words>\S.{0,100})")
_MESSAGE = re.compile(r"JobId \d+: (?P<level>Fatal error|Error|Warning): ?(?P<text>.*)")
_ANY_MESSAGE = re.compile(r"JobId \d+: ")
_REPORT_HEAD = re.compile(r"(?:Bacula|Bareos) \S+ \S+ \([^)]{5,20}\):")
_COUNTERS = ("non-fatal fd errors", "fd errors", "sd errors")
_LINE_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    status: Status
    words: str


@dataclass(frozen=True, slots=True)
class Names:
    operation: Operation | None
    job: str | None
    session: str | None
    client: str | None


def recognises(mail: Mail) -> bool:
    subject = mail.subject.lower()
    if "bacula: " in subject or "bareos: " in subject:
        return _from_subject(mail.subject)[0] is not None
    return "Build OS:" in mail.body and "JobId:" in mail.body


def parse(mail: Mail) -> Reading:
    lines = [line[:_LINE_SIZE] for line in mail.body.split("\n")]
    report = labels("\n".join(_report_lines(lines)))
    names = _names(mail.subject, lines, report)
    if names.operation is None:
        raise UnreadableMail(
            "neither subject nor report says what kind of job this was", job_name=names.job, origin=names.client
        )
    try:
        status, evidence = _verdict(mail.subject, lines, report)
    except UnreadableMail as problem:
        raise UnreadableMail(
            problem.reason, backup_type=names.operation.backup_type, job_name=names.job, origin=names.client
        ) from problem
    if names.operation.kind is Kind.INFORMATIONAL and status is Status.SUCCESS:
        status = Status.INFORMATIONAL
    fine = status in (Status.SUCCESS, Status.INFORMATIONAL)
    message = ("" if fine else _trouble(lines)) or evidence[0]
    return Reading(
        software=SOFTWARE,
        backup_type=names.operation.backup_type,
        job_name=names.job,
        origin=names.client,
        kind=names.operation.kind,
        status=status,
        objects=_objects(names.client, status, message),
        started_at=_moment(report.get("start time", "")),
        ended_at=_moment(report.get("end time", "")),
        size_bytes=_bytes(report),
        session_id=names.session,
        message=message,
        evidence=evidence,
    )


def job_of(session: str) -> str:
    """Return the job's name without the moment and number that make it a session."""
    named = _JOB_ID.fullmatch(session)
    return named["name"] if named else session


def _report_lines(lines: list[str]) -> list[str]:
    """Return the lines from the report's first to its last, or to the mail's end where it was cut."""
    start = next((at for at, line in enumerate(lines) if line.lstrip().startswith("Build OS:")), len(lines))
    last = (at for at in range(start, len(lines)) if _TERMINATION.fullmatch(lines[at]))
    return lines[start : next(last, len(lines)) + 1]


def _names(subject: str, lines: list[str], report: dict[str, str]) -> Names:
    operation, _, client = _from_subject(subject)
    for line in lines:
        if found := _TERMINATION.fullmatch(line):
            operation = split_ending(found["words"])[0] or operation
    if operation is None and "backup level" in report:
        operation = OPERATIONS["backup"]
    session = first_label(report, ("job", "current job", "new backup job")) or _started_job(lines)
    said = first_label(report, ("client", "restore client"))
    if said:
        client = said.split('"')[1] if said.count('"') > 1 else said.split()[0]
    return Names(operation, job_of(session) if session else None, session, client)


def _from_subject(subject: str) -> tuple[Operation | None, str, str | None]:
    """Return operation, ending and client as the default subject gives them."""
    found = _SUBJECT.search(subject)
    if found is None:
        return None, "", None
    operation, ending = split_ending(found["words"])
    return operation, ending, found["client"]


def _started_job(lines: list[str]) -> str | None:
    """Return the job of "Start Backup JobId 7, Job=x" or "Start Restore Job x", where the report was cut off."""
    for line in lines:
        _, marked, rest = line.partition(": Start ")
        if not marked:
            continue
        _, marked, job = rest.partition(", Job=")
        if not marked:
            _, marked, job = rest.partition(" Job ")
        if marked:
            return job.strip() or None
    return None


def _verdict(subject: str, lines: list[str], report: dict[str, str]) -> tuple[Status, tuple[str, ...]]:
    """Return the worst that subject and report say. Raise UnreadableMail where they prove no success."""
    endings = [found["words"] for line in lines if (found := _TERMINATION.fullmatch(line))]
    claims = [claim for words in endings if (claim := _claim(words, "Termination"))]
    ended = len(claims) > 0
    unknown = [words for words in endings if not _claim(words, "")]
    _, in_subject, _ = _from_subject(subject)
    if in_subject and (said := ENDINGS.get(in_subject)):
        claims.append(Claim(said, f"subject: {in_subject}"))
    claims += [*_counted(report), *_said_by_daemons(report, lines)]
    status = worst(claim.status for claim in claims) if claims else Status.SUCCESS
    if status is not Status.FAILED and unknown:
        raise UnreadableMail(f"unknown termination {unknown[0]!r}")
    if status is not Status.FAILED and in_subject and in_subject not in ENDINGS:
        raise UnreadableMail(f"unknown ending {in_subject!r} in the subject")
    if status is Status.SUCCESS and not ended:
        raise UnreadableMail("the report has no Termination line: it was cut, or is missing")
    return status, tuple(claim.words for claim in claims if claim.status is status)


def _claim(words: str, source: str) -> Claim | None:
    status = ENDINGS.get(split_ending(words)[1])
    return Claim(status, f"{source}: {one_line(words)}") if status else None


def _counted(report: dict[str, str]) -> list[Claim]:
    counts = ((name, report.get(name, "").replace(",", "")) for name in _COUNTERS)
    return [Claim(Status.WARNING, f"{name}: {count}") for name, count in counts if _number(count)]


def _said_by_daemons(report: dict[str, str], lines: list[str]) -> list[Claim]:
    """Return the daemons' own endings and errors: they can only make the verdict worse."""
    said = ((name, report.get(name, "").casefold()) for name in ("fd termination status", "sd termination status"))
    found = [Claim(DAEMON_ENDINGS[word], f"{name}: {word}") for name, word in said if word in DAEMON_ENDINGS]
    errors = (level for level, _ in _messages(lines) if level != "Warning")
    return [*found, *(Claim(Status.WARNING, f"a message of level {level}") for level in errors)][:10]


def _messages(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield level and text of the warnings and errors of the job's daemons; a failed job's report isn't one."""
    for at, line in enumerate(lines):
        message = _MESSAGE.search(line)
        if message is not None and not _REPORT_HEAD.match(message["text"]):
            yield message["level"], one_line(" ".join([message["text"], *_continued(lines, at)]))[:500]


def _trouble(lines: list[str]) -> str:
    """Return the fatal errors (the cause stands first, its consequences follow), else the first error or warning."""
    found = list(_messages(lines))
    fatal = dict.fromkeys(text for level, text in found if level == "Fatal error")
    others = [text for wanted in ("Error", "Warning") for level, text in found if level == wanted]
    return " / ".join(fatal)[:1000] or next(iter(others), "")


def _continued(lines: list[str], at: int) -> list[str]:
    """Return the indented lines below a message, at most three."""
    below = []
    for line in lines[at + 1 : at + 4]:
        if not line.startswith((" ", "\t")) or _ANY_MESSAGE.search(line):
            break
        below.append(line)
    return below


def _moment(text: str) -> datetime | None:
    """Return "05-May-2026 01:10:03" as a time."""
    return wall_clock(text.replace("-", " "))


def _bytes(report: dict[str, str]) -> int | None:
    said = first_label(report, ("sd bytes written", "bytes restored", "fd bytes written", "bytes written")) or ""
    digits = said.partition(" (")[0].replace(",", "")
    return _number(digits)


def _number(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _objects(client: str | None, status: Status, message: str) -> tuple[ObjectResult, ...]:
    return (ObjectResult(name=client, type="Client", status=status, message=message),) if client else ()


PARSER = Parser(
    name="bacula.job_report",
    software=SOFTWARE,
    backup_types=tuple(sorted({operation.backup_type for operation in OPERATIONS.values()})),
    languages=("en",),
    looks_for='Subject "Bacula: Backup OK of <client>" (or Bareos), or a job report whose "Termination:" decides',
    recognises=recognises,
    parse=parse,
)
