"""Queries, as Autotask understands them.

It drops a condition whose operator it does not know, without a word, and answers with everything. So operators come
from a closed set, and what comes back is looked at again where it matters. Pages are walked by id: rows that come and
go meanwhile then shift no others.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_rows import Items, checked
from shared.clients.errors import BadAnswer, Refused

MOST_IDS = 200  # each counts as a condition, of which a query may have 500
MOST_ROWS = 500
MOST_PAGES = 200

Clause = dict[str, Any]


class Op(StrEnum):
    """All operators that there are."""

    EQ = "eq"
    NOT_EQ = "noteq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BEGINS_WITH = "beginsWith"
    ENDS_WITH = "endsWith"
    CONTAINS = "contains"
    EXIST = "exist"
    NOT_EXIST = "notExist"
    IN = "in"
    NOT_IN = "notIn"


class _HasId(Protocol):
    id: int


Row = TypeVar("Row", bound=BaseModel)


def where(field: str, op: Op, value: str | int | bool | Sequence[int]) -> Clause:  # noqa: FBT001
    return {"op": str(op), "field": field, "value": value}


def either(*clauses: Clause) -> Clause:
    return {"op": "or", "items": list(clauses)}


def number(identifier: str) -> int:
    """Return an id as Autotask writes it. Raise Refused."""
    if not (identifier.isascii() and identifier.isdigit() and len(identifier) < 19):
        raise Refused("this is no id of Autotask's")
    return int(identifier)


def first_rows(line: AutotaskLine, entity: str, kind: type[Row], *clauses: Clause, most: int) -> list[Row]:
    """Return the rows of one page, `most` at most."""
    return _page(line, entity, kind, list(clauses), most)


def all_rows(line: AutotaskLine, entity: str, kind: type[Row], *clauses: Clause) -> Iterator[Row]:
    """Yield the rows of all pages by id. Raise BadAnswer when the pages don't come to an end."""
    last: int | None = None
    for _ in range(MOST_PAGES):
        further = [] if last is None else [where("id", Op.GT, last)]
        page = _page(line, entity, kind, [*clauses, *further], MOST_ROWS)
        for row in page:
            at = _id_of(row)
            if at != last:  # the same row twice is one row
                yield row
            last = _later(at, last)
        if len(page) < MOST_ROWS:
            return
    raise BadAnswer("Autotask's pages have no end")


def rows_of(line: AutotaskLine, entity: str, kind: type[Row], field: str, ids: Sequence[str]) -> Iterator[Row]:
    """Yield the rows whose `field` is one of `ids`, with as few calls as there can be."""
    wanted = sorted({number(each) for each in ids})
    for start in range(0, len(wanted), MOST_IDS):
        yield from all_rows(line, entity, kind, where(field, Op.IN, wanted[start : start + MOST_IDS]))


def _page(line: AutotaskLine, entity: str, kind: type[Row], clauses: list[Clause], most: int) -> list[Row]:
    body = {"filter": clauses, "MaxRecords": most, "IncludeFields": _names(kind)}
    answer = checked(Items, line.call(Ask(method="POST", path=f"{entity}/query", body=body)))
    return [checked(kind, each) for each in answer.items]


def _names(kind: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


def _id_of(row: Any) -> int:
    identified: _HasId = row
    return identified.id


def _later(at: int, last: int | None) -> int:
    """Rows come by id; where they don't, walking on by id would pass some over or never end."""
    if last is not None and at < last:
        raise BadAnswer("Autotask's rows don't come by id")
    return at
