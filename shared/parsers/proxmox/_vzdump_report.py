"""What stands in a vzdump mail: the subject's words, the table of guests and the log, from text and HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.mail import Mail
from shared.domain.status import Status, badness
from shared.parsers.html import cells, plain_text, rows
from shared.parsers.text import one_line, wall_clock

STATUS = {
    "backup successful": Status.SUCCESS,
    "backup failed": Status.FAILED,
    "ok": Status.SUCCESS,
    "err": Status.FAILED,
    "error": Status.FAILED,
    "failed": Status.FAILED,
    "aborted": Status.FAILED,
    "todo": Status.FAILED,  # the job ended before this guest's turn
}

_SUBJECT = re.compile(r"vzdump backup status \((?P<node>[^()]{1,255})\) ?(?:: ?(?P<verdict>.*))?", re.IGNORECASE)
_TIME_WORD = re.compile(r"\d+:\d{2}:\d{2}|\d+(?:\.\d+)?(?:d|h|m|s|ms|us|µs|min)")
_LOG_LINE = re.compile(
    r"(?P<vmid>\d+): (?P<at>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) (?P<level>INFO|WARN|WARNING|ERR|ERROR): ?(?P<text>.*)"
)
_FAILED_GUEST = re.compile(r"Backup of VM \d+ failed - (?P<why>.*)")
_AFTER_TABLE = ("total running time:", "detailed backup logs:", "log output was too long")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    node: str | None
    word: str  # folded: a key of STATUS, or something new
    cause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    vmid: str
    name: str
    word: str
    error: str = ""
    is_container: bool = False


@dataclass(kw_only=True, slots=True)
class Log:
    """The detailed log. `is_expected` when the mail announces one and vzdump's own lines stand in it, or nothing."""

    is_expected: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error_of: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    guests: tuple[Guest, ...]
    table_is_whole: bool
    log: Log


def subject_of(subject: str) -> Subject:
    match = _SUBJECT.search(one_line(subject))
    if match is None:
        return Subject(node=None, word="", cause="")
    word, _, cause = (match["verdict"] or "").partition(":")
    return Subject(node=match["node"].strip(), word=one_line(word).lower(), cause=cause.strip())


def report(mail: Mail) -> Report:
    """Return the guests of both bodies (of two rows for one guest the worse) and the log."""
    lines = [line.strip() for line in (mail.body or plain_text(mail.html)).split("\n")]
    guests: dict[str, Guest] = {}
    for guest in (*_text_rows(lines), *_html_rows(mail.html)):
        above = guests.get(guest.vmid)
        guests[guest.vmid] = _worse(above, guest) if above else guest
    return Report(
        guests=tuple(guests.values()),
        table_is_whole=any(line.lower().startswith(_AFTER_TABLE) for line in lines),
        log=_log(lines),
    )


def _worse(one: Guest, other: Guest) -> Guest:
    def rank(guest: Guest) -> tuple[int, bool]:
        # An unknown word comes before "ok", so that it can't hide behind it.
        return badness(STATUS.get(guest.word, Status.UNREADABLE)), bool(guest.error)

    return max(one, other, key=rank)


def _text_rows(lines: Iterable[str]) -> Iterator[Guest]:
    in_table = False
    for line in lines:
        words = line.split()
        if [word.lower() for word in words[:3]] == ["vmid", "name", "status"]:
            in_table = True
        elif in_table and words and words[0].isdecimal():
            yield _text_row(words)
        elif in_table and words:
            return


def _text_row(words: list[str]) -> Guest:
    # A guest may have no name, and its name may be any word: the status is what stands before the duration.
    at = next((i for i in range(2, len(words)) if _TIME_WORD.fullmatch(words[i])), None)
    if at is None:
        return Guest(vmid=words[0], name="", word="(row cut off)")
    return Guest(
        vmid=words[0],
        name=" ".join(words[1 : at - 1]),
        word=words[at - 1].lower(),
        is_container=_is_container(words[-1]),
    )


def _html_rows(html: str) -> Iterator[Guest]:
    in_table = False
    for row in rows(html):
        found = cells(row)
        if [text.lower() for text in found[:3]] == ["vmid", "name", "status"]:
            in_table = True
        elif in_table and len(found) >= 3 and found[0].isdecimal():
            has_error = len(found) == 5 and row[4].colspan == 2
            yield Guest(
                vmid=found[0],
                name=found[1],
                word=found[2].lower(),
                error=found[4] if has_error else "",
                is_container=_is_container(found[-1]),
            )


def _is_container(filename: str) -> bool:
    return filename.startswith("ct/") or "vzdump-lxc-" in filename


def _log(lines: list[str]) -> Log:
    log, announced, own_lines, other_lines = Log(), False, 0, 0
    for line in lines:
        if line.lower() in ("logs", "detailed backup logs:"):
            announced = True
        elif match := _LOG_LINE.fullmatch(line):
            own_lines += 1
            _note(log, match)
        elif announced and line.startswith("vzdump "):
            own_lines += 1
        elif announced and line.strip("="):
            other_lines += 1
    too_long = any(line.lower().startswith("log output was too long") for line in lines)
    # Somebody may put his own words in the place of the log; but where it just ends, the mail was cut.
    log.is_expected = not too_long and bool(own_lines or not other_lines)
    return log


def _note(log: Log, match: re.Match[str]) -> None:
    vmid, text = match["vmid"], match["text"].strip()
    log.last_at = wall_clock(match["at"])
    log.first_at = log.first_at or log.last_at
    if match["level"].startswith("ERR"):
        log.errors.append(text)
        why = _FAILED_GUEST.fullmatch(text)
        log.error_of[vmid] = why["why"] if why else text
    elif match["level"].startswith("WARN"):
        log.warnings.append(text)
    elif text.startswith(f"Finished Backup of VM {vmid} "):
        log.finished.add(vmid)
    elif text.startswith("Starting Backup of VM ") and text.endswith("(lxc)"):
        log.containers.add(vmid)
