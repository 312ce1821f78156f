"""Pieces that several screens' queries share."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, SQLColumnExpression, case, or_

from shared.domain.status import Status, badness
from shared.models.customers import Customer
from shared.models.jobs import Job

PAGE_SIZE = 50

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Row]):
    """One page of a list; `number` counts from 1."""

    rows: tuple[Row, ...]
    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def existing_page(number: int, total: int) -> int:
    """Return `number`, or the nearest page there is: rows may have gone since the link was made."""
    return max(1, min(number, -(-total // PAGE_SIZE)))


def badness_of(column: SQLColumnExpression[Status]) -> ColumnElement[int]:
    """Return the rank of a verdict column, as domain/status.py ranks it."""
    return case({status: badness(status) for status in Status}, value=column)


def contains(text: str, *columns: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Return a condition that any of `columns` contains `text`, whatever its case; `%` and `_` are plain letters."""
    text = text.replace("\x00", "")  # no column can hold one, and the driver refuses it
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


def watched_jobs() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for jobs that the operational pages show."""
    return (Job.archived_at.is_(None), Customer.active.is_(True))
