"""Customers from a CSV file: first a preview with an error a line, then the same plan carried out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.domain.csv_cell import unguarded
from shared.models.customers import Customer
from shared.services.audit import Actor, record_act
from shared.services.edit_customer import MAX_NAME, MAX_NOTE, is_time_zone
from shared.services.errors import BadInput

COLUMNS = ("name", "active", "time_zone", "note")
MAX_BYTES = 2_000_000
MAX_LINES = 20_000
_YES = frozenset({"yes", "y", "true", "1", "active", "ja", "j", "actief"})
_NO = frozenset({"no", "n", "false", "0", "inactive", "nee", "inactief"})


class Change(StrEnum):
    """What a line of the file will do."""

    ADD = "add"
    UPDATE = "update"
    SAME = "same"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the file and what it means. `number` counts as an editor does; `differs` names what changes."""

    number: int
    name: str
    active: bool = True
    time_zone: str | None = None
    note: str = ""
    change: Change
    differs: tuple[str, ...] = ()
    problem: str = ""


def read_customers(db: Session, content: bytes) -> list[Line]:
    """Return what importing `content` would do. Raise BadInput when it is no such CSV at all.

    RFC 4180, UTF-8 (with or without a byte order mark), comma or semicolon; header `name[,active][,time_zone][,note]`.
    A column that is absent changes nothing, nor does an empty `active`; customers that the file doesn't name stay.
    """
    if len(content) > MAX_BYTES:
        raise BadInput("The file is larger than 2 MB.")
    known = {each.name.lower(): each for each in db.scalars(select(Customer))}
    seen: dict[str, int] = {}
    return [_judge(number, row, known, seen) for number, row in _rows(_text(content))]


def import_customers(db: Session, content: bytes, *, actor: Actor, now: datetime) -> list[Line]:
    """Carry out what `read_customers` shows; lines with errors are left out and named in the answer."""
    # Two people who import the same list: the second one waits, and then finds nothing left to add.
    db.execute(text("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE"))
    lines = read_customers(db, content)
    for line in lines:
        if line.change is Change.ADD:
            db.add(Customer(name=line.name, active=line.active, time_zone=line.time_zone, note=line.note))
    _update(db, {line.name.lower(): line for line in lines if line.change is Change.UPDATE})
    counts = {change.value: sum(line.change is change for line in lines) for change in Change}
    record_act(db, actor, "customers.imported", subject_type="customers", subject_id=None, after=dict(counts), now=now)
    return lines


def _update(db: Session, lines: dict[str, Line]) -> None:
    for customer in db.scalars(select(Customer)) if lines else ():
        if line := lines.get(customer.name.lower()):
            customer.active, customer.time_zone, customer.note = line.active, line.time_zone, line.note


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadInput(f"The file isn't UTF-8 (byte {problem.start}). Save it as “CSV UTF-8”.") from problem


def _rows(content: str) -> Iterator[tuple[int, dict[str, str]]]:
    header = content.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(content, newline=""), delimiter=";" if header.count(";") > header.count(",") else ","
    )
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "name" not in names:
            raise BadInput(f"The first line must name the columns: {', '.join(COLUMNS)}. Only the first is needed.")
        for row in reader:
            if reader.line_num > MAX_LINES:
                raise BadInput(f"The file has more than {MAX_LINES} lines.")
            if any(field.strip() for field in row):
                yield reader.line_num, dict(zip(names, (unguarded(field).strip() for field in row), strict=False))
    except csv.Error as problem:
        raise BadInput(f"Line {reader.line_num} is no CSV: {problem}.") from problem


def _judge(number: int, row: dict[str, str], known: dict[str, Customer], seen: dict[str, int]) -> Line:
    name = " ".join(row.get("name", "").split())
    folded = name.lower()
    problem = _problem(name, row, seen.get(folded))
    seen.setdefault(folded, number)
    if problem:
        return Line(number=number, name=name, change=Change.ERROR, problem=problem)
    before = known.get(folded)
    line = _wanted(number, name, row, before)
    if before is None:
        return line
    differs = tuple(_differences(before, line))
    return replace(line, change=Change.UPDATE if differs else Change.SAME, differs=differs)


def _wanted(number: int, name: str, row: dict[str, str], before: Customer | None) -> Line:
    now = before or Customer(active=True, time_zone=None, note="")
    word = row.get("active", "").lower()
    return Line(
        number=number,
        name=name,
        active=word in _YES if word else now.active,
        time_zone=row.get("time_zone", now.time_zone or "") or None,
        note=row.get("note", now.note),
        change=Change.ADD,
    )


def _differences(before: Customer, line: Line) -> Iterator[str]:
    if before.active != line.active:
        yield "becomes active" if line.active else "becomes inactive"
    if before.time_zone != line.time_zone:
        yield f"time zone {line.time_zone}" if line.time_zone else "time zone removed"
    if before.note != line.note:
        yield "new note" if line.note else "note removed"


def _problem(name: str, row: dict[str, str], first_line: int | None) -> str:
    word, zone = row.get("active", ""), row.get("time_zone", "")
    checks = (
        (not name, "the name is missing"),
        (len(name) > MAX_NAME, f"the name has more than {MAX_NAME} characters"),
        (any("\x00" in field for field in row.values()), "there is a character that can't be stored"),
        (first_line is not None, f"the name stands on line {first_line} already"),
        (bool(word) and word.lower() not in _YES | _NO, f"“{word}” is neither yes nor no"),
        (bool(zone) and not is_time_zone(zone), f"“{zone}” is no time zone; write one like Europe/Amsterdam"),
        (len(row.get("note", "")) > MAX_NOTE, f"the note has more than {MAX_NOTE} characters"),
    )
    return next((problem for wrong, problem in checks if wrong), "")
