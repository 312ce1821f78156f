"""Customers from a CSV file: first a preview with an error a line, then the same plan carried out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.services.audit import Actor, record_act
from shared.services.edit_customer import MAX_NAME
from shared.services.errors import BadInput

MAX_BYTES = 2_000_000
MAX_LINES = 20_000
_YES = frozenset({"", "yes", "y", "true", "1", "active", "ja", "j", "actief"})
_NO = frozenset({"no", "n", "false", "0", "inactive", "nee", "inactief"})


class Change(StrEnum):
    """What a line of the file will do."""

    ADD = "add"
    UPDATE = "update"
    SAME = "same"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the file and what it means. `number` counts as an editor does."""

    number: int
    name: str
    active: bool = True
    change: Change
    problem: str = ""


def read_customers(db: Session, content: bytes) -> list[Line]:
    """Return what importing `content` would do. Raise BadInput when it is no such CSV at all.

    RFC 4180, UTF-8 (with or without a byte order mark), comma or semicolon; header `name[,active]`.
    """
    if len(content) > MAX_BYTES:
        raise BadInput("The file is larger than 2 MB.")
    known = {name.lower(): active for name, active in db.execute(select(Customer.name, Customer.active))}
    seen: dict[str, int] = {}
    return [_judge(number, row, known, seen) for number, row in _rows(_text(content))]


def import_customers(db: Session, content: bytes, *, actor: Actor, now: datetime) -> list[Line]:
    """Carry out what `read_customers` shows; lines with errors are left out and named in the answer."""
    lines = read_customers(db, content)
    db.add_all(Customer(name=line.name, active=line.active) for line in lines if line.change is Change.ADD)
    updates = {line.name.lower(): line.active for line in lines if line.change is Change.UPDATE}
    for customer in db.scalars(select(Customer).with_for_update()) if updates else ():
        if customer.name.lower() in updates:
            customer.active = updates[customer.name.lower()]
    counts = {change.value: sum(line.change is change for line in lines) for change in Change}
    record_act(db, actor, "customers.imported", subject_type="customers", subject_id=None, after=dict(counts), now=now)
    return lines


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadInput(f"The file isn't UTF-8 (byte {problem.start}). Save it as “CSV UTF-8”.") from problem


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if header.count(";") > header.count(",") else ",")
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "name" not in names:
            raise BadInput("The first line must name the columns: name, active.")
        for row in reader:
            if reader.line_num > MAX_LINES:
                raise BadInput(f"The file has more than {MAX_LINES} lines.")
            if any(field.strip() for field in row):
                yield reader.line_num, dict(zip(names, (field.strip() for field in row), strict=False))
    except csv.Error as problem:
        raise BadInput(f"Line {reader.line_num} is no CSV: {problem}.") from problem


def _judge(number: int, row: dict[str, str], known: dict[str, bool], seen: dict[str, int]) -> Line:
    name = " ".join(row.get("name", "").split())
    folded = name.lower()
    word = row.get("active", "").lower()
    problem = _problem(name, word, seen.get(folded))
    seen.setdefault(folded, number)
    if problem:
        return Line(number=number, name=name, change=Change.ERROR, problem=problem)
    active = word in _YES
    if folded not in known:
        return Line(number=number, name=name, active=active, change=Change.ADD)
    return Line(
        number=number, name=name, active=active, change=Change.SAME if known[folded] == active else Change.UPDATE
    )


def _problem(name: str, active: str, first_line: int | None) -> str:
    if not name:
        return "the name is missing"
    if len(name) > MAX_NAME:
        return f"the name has more than {MAX_NAME} characters"
    if "\x00" in name:
        return "the name has a character that can't be stored"
    if first_line is not None:
        return f"the name stands on line {first_line} already"
    if active not in _YES | _NO:
        return f"“{active}” is neither yes nor no"
    return ""
