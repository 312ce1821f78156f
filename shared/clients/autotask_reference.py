"""The choices that a tenant of Autotask made for itself, and its companies."""

from collections.abc import Iterator, Mapping, Sequence

from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_queries import Op, all_rows, either, first_rows, number, rows_of, where
from shared.clients.autotask_rows import ChoiceRow, CompanyRow, FieldRow, Fields, Threshold, checked
from shared.domain.ticketing import Company, ReferenceKind, ReferenceValue, Usage

MOST_COMPANIES = 50
OF_TICKETS = {
    "queueID": ReferenceKind.QUEUE,
    "source": ReferenceKind.SOURCE,
    "status": ReferenceKind.STATUS,
    "priority": ReferenceKind.PRIORITY,
    "issueType": ReferenceKind.ISSUE_TYPE,
    "subIssueType": ReferenceKind.SUB_ISSUE_TYPE,
}
OF_NOTES = {"noteType": ReferenceKind.NOTE_TYPE, "publish": ReferenceKind.NOTE_AUDIENCE}


def fields_of(line: AutotaskLine, entity: str) -> list[FieldRow]:
    return checked(Fields, line.call(Ask(method="GET", path=f"{entity}/entityInformation/fields"))).fields


def values(line: AutotaskLine) -> list[ReferenceValue]:
    """Return all choices, in the tenant's order. Two calls."""
    return [
        *_choices(fields_of(line, "Tickets"), OF_TICKETS),
        *_choices(fields_of(line, "TicketNotes"), OF_NOTES),
    ]


def usage(line: AutotaskLine) -> Usage:
    found = checked(Threshold, line.call(Ask(method="GET", path="ThresholdInformation")))
    return Usage(used=found.used, limit=found.limit)


def search_companies(line: AutotaskLine, text: str) -> list[Company]:
    """Return active companies of that name or id."""
    text = text.strip()
    if not text:
        return []
    named = where("companyName", Op.CONTAINS, text)
    is_id = text.isascii() and text.isdigit() and len(text) < 10
    clause = either(named, where("id", Op.EQ, number(text))) if is_id else named
    active = where("isActive", Op.EQ, True)
    return [_company(row) for row in first_rows(line, "Companies", CompanyRow, clause, active, most=MOST_COMPANIES)]


def companies(line: AutotaskLine, ids: Sequence[str]) -> list[Company]:
    """Return those that are there, active or not."""
    wanted = {number(each) for each in ids}
    return [_company(row) for row in rows_of(line, "Companies", CompanyRow, "id", ids) if row.id in wanted]


def active_companies(line: AutotaskLine) -> list[Company]:
    active = where("isActive", Op.EQ, True)
    return [_company(row) for row in all_rows(line, "Companies", CompanyRow, active) if row.is_active]


def _choices(fields: Sequence[FieldRow], kinds: Mapping[str, ReferenceKind]) -> Iterator[ReferenceValue]:
    for each in fields:
        kind = kinds.get(each.name)
        if kind is not None:
            yield from (_value(kind, choice) for choice in sorted(each.choices, key=lambda one: one.position))


def _value(kind: ReferenceKind, choice: ChoiceRow) -> ReferenceValue:
    return ReferenceValue(
        kind=kind,
        id=choice.value,
        label=choice.label,
        is_active=choice.is_active,
        is_default=choice.is_default,
        parent_id=choice.parent,
        position=choice.position,
    )


def _company(row: CompanyRow) -> Company:
    return Company(id=str(row.id), name=row.name, is_active=row.is_active, number=row.number)
