"""The facts of a Duplicati result, from its text form or its JSON form."""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

_FACT = re.compile(r"(?P<indent>[ \t]*)(?P<name>[A-Za-z]{3,60}): ?(?P<value>.*)")
_ERROR_FACTS = ("ErrorsActualLength", "Errors", "Interrupted")
_WARNING_FACTS = (
    "WarningsActualLength",
    "Warnings",
    "FilesWithError",
    "PartialBackup",
    "ReportedQuotaError",
    "ReportedQuotaWarning",
)
_BEFORE_ERRORS = frozenset(
    {"MessagesActualLength", "WarningsActualLength", "ErrorsActualLength", "Messages", "Warnings"}
)
_EPOCH = re.compile(r"\((?P<seconds>\d{9,11})\)")


@dataclass(kw_only=True, slots=True)
class Result:
    """What a result says; `words` are all its verdicts, of the parts (compact, test …) too."""

    operation: str | None = None
    words: list[str] = field(default_factory=list)
    is_decided: bool = False  # the verdict of the whole, not only those of its parts, has arrived
    exception: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_dry_run: bool = False
    ends_with_lists: bool = False
    machine: str | None = None
    backup_name: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    size_bytes: int | None = None


def result(body: str) -> Result:
    found = _from_json(body) if body.lstrip().startswith("{") else None
    return found or _from_text(body)


def _from_text(body: str) -> Result:
    found = Result()
    operations = verdicts = 0
    below: set[str] = set()  # what stands below the verdict
    lines = body.split("\n")
    for index, line in enumerate(lines):
        _note_log_line(found, line)
        match = _FACT.fullmatch(line)
        if match is None:
            continue
        name, value = match["name"], match["value"].strip()
        if value == "[":  # a list over several lines
            following = lines[index + 1].strip() if index + 1 < len(lines) else ""
            value = "[]" if following == "]" else f"[{following}"
        if name == "MainOperation":
            operations += 1
            found.operation = found.operation or value
        elif name == "ParsedResult":
            verdicts += 1
            found.words.append(value)
            found.is_decided = found.is_decided or not match["indent"]
        else:
            below |= {name} if found.is_decided else set()
            _note(found, name, value)
    # Compacting and testing have a verdict each, before that of the whole. Forwarding may have taken the
    # indent away that tells them apart: then there must be a verdict for every operation.
    found.is_decided = found.is_decided and verdicts >= operations and _is_whole(below)
    return found


def _is_whole(below: set[str]) -> bool:
    """Tell whether the facts below the verdict arrived: its lists, or the duration where a version has no lists."""
    return "Errors" in below or ("Duration" in below and below.isdisjoint(_BEFORE_ERRORS))


def _note_log_line(found: Result, line: str) -> None:
    if "- [Error-" in line:
        found.errors.append(_without_source(line))
    elif "- [Warning-" in line:
        found.warnings.append(_without_source(line))


def _without_source(line: str) -> str:
    """Return the text of `<time> - [<level>-<where>]: <text>`, or of anything else all of it."""
    before, mark, text = line.partition("]: ")
    return text.strip()[:500] if mark and "- [" in before else line.strip()[:500]


def _note(found: Result, name: str, value: str) -> None:
    match name:
        case "Failed" | "Exception" if value and value != "null":
            found.exception = found.exception or value
        case "Dryrun":
            found.is_dry_run = found.is_dry_run or value.lower() == "true"
        case "BeginTime":
            found.started_at = min(filter(None, (found.started_at, _moment(value))), default=None)
        case "EndTime":
            found.ended_at = max(filter(None, (found.ended_at, _moment(value))), default=None)
        case "SizeOfExaminedFiles" if value.isdecimal():
            found.size_bytes = int(value[:18])
        case _ if name in _ERROR_FACTS or name in _WARNING_FACTS:
            _note_trouble(found, name, value)


def _note_trouble(found: Result, name: str, value: str) -> None:
    found.ends_with_lists = found.ends_with_lists or name == "Errors"
    if value.lower() in ("", "0", "false", "[]", "null"):
        return
    entry = _without_source(value.lstrip("["))
    said = entry if value.startswith("[") and entry else f"{name}: {entry}"
    (found.errors if name in _ERROR_FACTS else found.warnings).append(said)


def _moment(value: str) -> datetime | None:
    """Read `2/16/2026 10:23:51 PM (1771280631)` by the seconds since 1970, which know no locale, or ISO 8601."""
    if epoch := _EPOCH.search(value):
        return datetime.fromtimestamp(int(epoch["seconds"]), UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo and moment.year > 1 else None


def _from_json(body: str) -> Result | None:
    """Return the facts of the JSON form, or None when it is cut or none at all."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    whole = document.get("Data")
    extra = document.get("Extra")
    found = Result()
    for depth, name, value in _facts(whole if isinstance(whole, dict) else document):
        if name == "MainOperation":
            found.operation = found.operation or (value if not depth else None)
        elif name == "ParsedResult":
            found.words.append(value)
            found.is_decided = found.is_decided or not depth
        else:
            _note(found, name, value)
    for line in document.get("LogLines") or ():
        _note_log_line(found, str(line))
    if document.get("Exception"):
        found.exception = str(document["Exception"]).partition("\n")[0]
    if isinstance(extra, dict):
        found.operation = found.operation or _text(extra, "OperationName")
        found.machine, found.backup_name = _text(extra, "machine-name"), _text(extra, "backup-name")
    return found


def _facts(part: dict[str, object]) -> Iterator[tuple[int, str, str]]:
    """Yield depth, name and value of everything below `part`, lists by their first element."""
    waiting = deque([(0, part)])
    while waiting:
        depth, current = waiting.popleft()
        for name, value in current.items():
            if isinstance(value, dict):
                waiting.append((depth + 1, value))
            elif isinstance(value, list):
                yield depth, name, f"[{value[0]}" if value else "[]"
            else:
                yield depth, name, "null" if value is None else str(value)


def _text(part: dict[str, object], name: str) -> str | None:
    value = part.get(name)
    return value if isinstance(value, str) and value else None
