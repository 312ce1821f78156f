"""Reads the history of many jobs from CSV (RFC 4180): `job,ran_at[,status]`, a row a run, jobs mixed."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from shared.domain.status import Status

COLUMNS = ("job", "ran_at")


class BadHistory(Exception):
    """The CSV can't be used; the message names the line."""


def read_history(lines: Iterable[str]) -> dict[str, list[datetime]]:
    """Return each job's runs in UTC, jobs in the order in which they first appear. Raise BadHistory.

    What is informational is no run: it never teaches.
    """
    found: dict[str, list[datetime]] = {}
    for job, ran_at, status in _rows(lines):
        runs = found.setdefault(job, [])
        if status != Status.INFORMATIONAL:
            runs.append(ran_at)
    return found


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, datetime, str]]:
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise BadHistory(f"line 1: the header lacks {' and '.join(missing)}; it must be job,ran_at[,status]")
        for row in reader:
            if not row["job"]:
                raise BadHistory(f"line {reader.line_num}: no job")
            status = (row.get("status") or "").strip().lower()
            yield row["job"], _instant(row["ran_at"], reader.line_num), status
    except (csv.Error, UnicodeDecodeError) as problem:
        raise BadHistory(f"line {reader.line_num + 1}: {problem}") from problem


def _instant(text: str | None, line: int) -> datetime:
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise BadHistory(f"line {line}: {text!r} is no ISO 8601 time") from None
    if found.tzinfo is None:
        raise BadHistory(f"line {line}: {text!r} has no offset; write +01:00, +00:00 or Z")
    return found.astimezone(UTC)
