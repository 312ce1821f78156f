"""Customers from a CSV file: first a preview with an error a line, then the same plan carried out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.domain.csv_cell import unguarded
from shared.domain.ticketing import Company
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.services.audit import Actor, record_act
from shared.services.edit_customer import MAX_NAME, MAX_NOTE, is_time_zone
from shared.services.errors import BadInput
from shared.services.imported_companies import COLUMN as COMPANY
from shared.services.imported_companies import Companies, CompaniesInFile, is_company_id
from shared.services.map_customers import map_customer
from shared.services.mark_history import go_live_day, mark_history
from shared.services.record_run import lock_jobs
from shared.services.watch_again import make_slots_anew, watch_customers_again

COLUMNS = ("name", "active", "time_zone", "go_live_on", "note", COMPANY, "autotask_company")  # the last is for readers
MAX_BYTES = 2_000_000
MAX_LINES = 20_000
_YES = frozenset({"yes", "y", "true", "1", "active", "ja", "j", "actief"})
_NO = frozenset({"no", "n", "false", "0", "inactive", "nee", "inactief"})
_STORED = ("active", "time_zone", "go_live_on", "note")  # of a line, as it stands


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
    go_live_on: date | None = None
    note: str = ""
    company: Company | None = None  # another one than he has
    change: Change
    differs: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What a line is judged by: the customers by folded name, the lines before it, companies, and the day."""

    known: dict[str, Customer]
    companies: CompaniesInFile
    today: date
    lines: dict[str, int] = field(default_factory=dict)


def wanted_companies(db: Session, content: bytes) -> list[str]:
    """Return the ids of the companies that customers would get. Raise BadInput when it is no such CSV at all."""
    known = _by_name(db)
    wanted = set()
    for _, row in _rows(_text(content)):
        customer, company_id = known.get(_name(row).lower()), row.get(COMPANY, "")
        if is_company_id(company_id) and (customer is None or customer.autotask_company_id != company_id):
            wanted.add(company_id)
    return sorted(wanted)


def read_customers(db: Session, content: bytes, companies: Companies | None = None, *, today: date) -> list[Line]:
    """Return what importing `content` would do. Raise BadInput when it is no such CSV at all.

    RFC 4180, UTF-8 (with or without a byte order mark), comma or semicolon; a header that names at least `name`.
    A column that is absent changes nothing, nor does an empty `active` or company; customers that the file doesn't
    name stay. `companies` is what Autotask says of `wanted_companies`.
    """
    known = _by_name(db)
    owners = {each.autotask_company_id: each.name for each in known.values() if each.autotask_company_id}
    in_file = CompaniesInFile(told=companies or Companies(), owners=owners)
    around = _Around(known=known, companies=in_file, today=today)
    return [_judge(number, row, around) for number, row in _rows(_text(content))]


def import_customers(
    db: Session, content: bytes, *, actor: Actor, now: datetime, companies: Companies | None = None
) -> list[Line]:
    """Carry out what `read_customers` shows; lines with errors are left out and named in the answer."""
    # Two people who import the same list: the second one waits, and then finds nothing left to add.
    db.execute(text("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE"))
    lines = read_customers(db, content, companies, today=now.date())
    db.add_all(_new(line) for line in lines if line.change is Change.ADD)
    _update(db, {line.name.lower(): line for line in lines if line.change is Change.UPDATE}, actor, now)
    _map(db, lines, actor, now)
    counts = {change.value: sum(line.change is change for line in lines) for change in Change}
    record_act(db, actor, "customers.imported", subject_type="customers", subject_id=None, after=dict(counts), now=now)
    return lines


def _new(line: Line) -> Customer:
    return Customer(**{name: getattr(line, name) for name in ("name", *_STORED)})


def _update(db: Session, lines: dict[str, Line], actor: Actor, now: datetime) -> None:
    awake, moved = set[int](), set[int]()
    for customer in db.scalars(select(Customer)) if lines else ():
        if line := lines.get(customer.name.lower()):
            awake |= {customer.id} if line.active and not customer.active else set()
            moved |= {customer.id} if _clock(line) != _clock(customer) else set()
            for name in _STORED:
                setattr(customer, name, getattr(line, name))
    db.flush()  # their slots are made by what is stored
    lock_jobs(db, db.scalars(select(Job.id).where(Job.customer_id.in_(awake | moved))).all())
    if moved:
        mark_history(db, sorted(moved), actor=actor, now=now)
    watch_customers_again(db, awake, now=now)
    make_slots_anew(db, moved - awake, now=now)


def _clock(of: Customer | Line) -> tuple[date | None, str | None]:
    return of.go_live_on, of.time_zone


def _map(db: Session, lines: list[Line], actor: Actor, now: datetime) -> None:
    mapped = [line for line in lines if line.company is not None]
    db.flush()  # new ones get their ids
    known = _by_name(db) if mapped else {}
    for line in mapped:
        assert line.company is not None
        map_customer(db, known[line.name.lower()].id, line.company, actor=actor, now=now)


def _by_name(db: Session) -> dict[str, Customer]:
    return {each.name.lower(): each for each in db.scalars(select(Customer))}


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise BadInput("The file is larger than 2 MB.")
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


def _name(row: dict[str, str]) -> str:
    return " ".join(row.get("name", "").split())


def _judge(number: int, row: dict[str, str], around: _Around) -> Line:
    name = _name(row)
    folded = name.lower()
    before = around.known.get(folded)
    problem = _problem(name, row, around)
    around.lines.setdefault(folded, number)
    company = None if problem else _company(number, folded, row, before, around.companies)
    if problem or isinstance(company, str):
        return Line(number=number, name=name, change=Change.ERROR, problem=problem or str(company))
    line = replace(_wanted(number, name, row, around), company=company)
    if before is None:
        return line
    differs = tuple(_differences(before, line))
    return replace(line, change=Change.UPDATE if differs else Change.SAME, differs=differs)


def _company(
    number: int, name: str, row: dict[str, str], before: Customer | None, companies: CompaniesInFile
) -> Company | str | None:
    """Return the company that the line gives the customer anew, or why it can't."""
    wanted = row.get(COMPANY, "")
    if not wanted or (before is not None and before.autotask_company_id == wanted):
        return None
    return companies.take(wanted, customer=name, number=number)


def _wanted(number: int, name: str, row: dict[str, str], around: _Around) -> Line:
    now = around.known.get(name.lower()) or Customer(active=True, time_zone=None, go_live_on=None, note="")
    word, day = row.get("active", "").lower(), row.get("go_live_on")
    return Line(
        number=number,
        name=name,
        active=word in _YES if word else now.active,
        time_zone=row.get("time_zone", now.time_zone or "") or None,
        go_live_on=now.go_live_on if day is None else go_live_day(day, today=around.today),
        note=row.get("note", now.note),
        change=Change.ADD,
    )


def _differences(before: Customer, line: Line) -> Iterator[str]:
    if before.active != line.active:
        yield "becomes active" if line.active else "becomes inactive"
    if before.time_zone != line.time_zone:
        yield f"time zone {line.time_zone}" if line.time_zone else "time zone removed"
    if before.go_live_on != line.go_live_on:
        yield f"go-live date {line.go_live_on}" if line.go_live_on else "go-live date removed"
    if before.note != line.note:
        yield "new note" if line.note else "note removed"
    if line.company is not None:
        yield f"company {line.company.name}"


def _problem(name: str, row: dict[str, str], around: _Around) -> str:
    word, zone, day = (row.get(column, "") for column in ("active", "time_zone", "go_live_on"))
    first_line = around.lines.get(name.lower())
    checks = (
        (not name, "the name is missing"),
        (len(name) > MAX_NAME, f"the name has more than {MAX_NAME} characters"),
        (any("\x00" in field for field in row.values()), "there is a character that can't be stored"),
        (first_line is not None, f"the name stands on line {first_line} already"),
        (bool(word) and word.lower() not in _YES | _NO, f"“{word}” is neither yes nor no"),
        (bool(zone) and not is_time_zone(zone), f"“{zone}” is no time zone; write one like Europe/Amsterdam"),
        (
            not _is_go_live_day(day, around.today),
            f"“{day}” is no go-live date; write one like 2026-01-31",
        ),
        (len(row.get("note", "")) > MAX_NOTE, f"the note has more than {MAX_NOTE} characters"),
    )
    return next((problem for wrong, problem in checks if wrong), "")


def _is_go_live_day(text: str, today: date) -> bool:
    try:
        go_live_day(text, today=today)
    except BadInput:
        return False
    return True
