"""Altaro VM Backup / Hornetsecurity VM Backup: the daily report.

Subject  counts by result: `2 Successful Backups`, `1 Successful Backup, 1 Failed Offsite Copy`.
Body     HTML, title "Email Notification": a row with the columns Backup, Offsite, Replication, then a row for
         each VM and column: the name in bold, a small `(ID)`, and a cell with the word Success, Failed or
         Overdue (its title is the time).
Seen     English. No version, host or customer is named. A row doesn't say which column it belongs to: a VM's
         first row is its backup, the second its offsite copy, the third its replication (an assumption).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.html import Row, cells, rows
from shared.parsers.text import fold, one_line

SOFTWARE = "Altaro / Hornetsecurity VM Backup"
BACKUP_TYPE = "Daily VM backup report"

STATUS = {
    "success": Status.SUCCESS,
    "successful": Status.SUCCESS,
    "warning": Status.WARNING,
    "warnings": Status.WARNING,
    "failed": Status.FAILED,
    "overdue": Status.FAILED,
    "cancelled": Status.FAILED,
    "canceled": Status.FAILED,
    "missed": Status.FAILED,
}
# A column that isn't set up for a VM.
NOTHING = frozenset({"", "-", "n/a", "not configured", "disabled"})
COLUMNS = {"backup": "VM", "offsite": "VM (offsite)", "replication": "VM (replication)"}

_COUNT = re.compile(
    r"(?P<count>\d{1,6}) (?P<word>[a-z]{4,12}) (?P<what>backups?|offsite (?:copy|copies|backups?)|replications?)"
)
_FIRST_COUNT = re.compile(r"(?:^|[\]:>-] ?)(?=\d{1,6} )")
_ID = re.compile(r"(?P<name>\S.*?) ?\((?P<id>[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Count:
    number: int
    word: str
    what: str


@dataclass(frozen=True, slots=True)
class Result:
    vm: str
    type: str
    word: str
    when: str


def recognises(mail: Mail) -> bool:
    return bool(_counts(mail.subject)) or _has_the_columns(mail.html)


def parse(mail: Mail) -> Reading:
    counts, results = _counts(mail.subject), list(_results(mail.html))
    try:
        status, evidence = _verdict(counts, results, mail.html)
    except UnreadableMail as problem:
        raise UnreadableMail(problem.reason, backup_type=BACKUP_TYPE) from problem
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=None,
        status=status,
        objects=tuple(_object(result) for result in results if result.word in STATUS),
        objects_complete=_page_ends(mail.html) and _is_whole(counts, results, mail.html),
        message=_told(mail.subject) if counts else "",
        evidence=evidence,
    )


def _counts(subject: str) -> tuple[Count, ...]:
    """Return the subject's counts, or none when it holds anything else but a prefix (`Fwd:`, a customer)."""
    text = fold(subject)
    starts = [match.end() for match in _FIRST_COUNT.finditer(text)]
    found = [_COUNT.fullmatch(part.strip()) for part in text[starts[-1] :].split(",")] if starts else []
    known = [match for match in found if match and match["word"] in STATUS]
    if len(known) < len(found):
        return ()
    return tuple(Count(int(match["count"]), match["word"], match["what"]) for match in known)


def _told(subject: str) -> str:
    """Return the subject's counts as they stand there, without what precedes them."""
    line = one_line(subject)
    starts = [match.end() for match in _FIRST_COUNT.finditer(line)]
    return line[starts[-1] :] if starts else line


def _has_the_columns(html: str) -> bool:
    if "Email Notification" not in html or "Offsite" not in html or "Replication" not in html:
        return False
    return any({fold(text) for text in cells(row)} >= COLUMNS.keys() for row in rows(html))


def _results(html: str) -> Iterator[Result]:
    """Yield what each row says of its VM."""
    columns = list(COLUMNS)
    seen: Counter[str] = Counter()
    for row in rows(html):
        texts = cells(row)
        if any(fold(text) in COLUMNS for text in texts):
            columns = [name for text in texts if (name := fold(text)) in COLUMNS]
            continue
        named = _ID.fullmatch(texts[0]) if len(row) > 1 else None
        if named is None:
            continue
        vm = named["name"]
        for cell in row[1:]:
            column = columns[min(seen[texts[0]], len(columns) - 1)]
            seen[texts[0]] += 1
            yield _result(vm, COLUMNS[column], (cell,))


def _result(vm: str, kind: str, cell: Row) -> Result:
    word, _, when = cell[0].text.partition("\n")
    return Result(vm, kind, fold(word), one_line(when))


def _verdict(counts: tuple[Count, ...], results: list[Result], html: str) -> tuple[Status, tuple[str, ...]]:
    """Return the worst of the subject's counts and the rows. Raise UnreadableMail when it isn't proven."""
    claims = [
        (STATUS[count.word], f"subject: {count.number} {count.word} {count.what}") for count in counts if count.number
    ]
    claims += [(STATUS[result.word], f"{result.vm}: {result.word}") for result in results if result.word in STATUS]
    unknown = [result.word for result in results if result.word not in STATUS and result.word not in NOTHING]
    status = worst((status for status, _ in claims), default=Status.SUCCESS)
    if status is not Status.FAILED and unknown:
        raise UnreadableMail(f"unknown status {unknown[0]!r}")
    if status is Status.SUCCESS:
        if not any(result.word in STATUS for result in results):
            raise UnreadableMail("the body lists no VM")
        if not _is_whole(counts, results, html):
            raise UnreadableMail("the body was cut: it lists fewer results than the subject counts")
    return status, tuple(words for found, words in claims if found is status)[:10]


def _is_whole(counts: tuple[Count, ...], results: list[Result], html: str) -> bool:
    """Tell whether every result is there: by the subject's counts, or by the end of the page."""
    if not counts:
        return _page_ends(html)
    said = sum(count.number for count in counts)
    return sum(result.word in STATUS for result in results) >= said


def _page_ends(html: str) -> bool:
    return "</html>" in html[-2000:].lower()


def _object(result: Result) -> ObjectResult:
    status = STATUS[result.word]
    trouble = f"{result.word.capitalize()}, {result.when}" if result.when else result.word.capitalize()
    return ObjectResult(
        name=result.vm, type=result.type, status=status, message="" if status is Status.SUCCESS else trouble
    )


PARSER = Parser(
    name="altaro.daily_report",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for='Subject of counts ("2 Successful Backups, 1 Failed Offsite Copy"), or the page "Email Notification"',
    recognises=recognises,
    parse=parse,
)
