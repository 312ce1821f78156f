"""The objects of readings. Reports of thousands are listed page by page; other pages show the first, problems first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.mail import MailObject
from shared.queries.rows import PAGE_SIZE, Page, badness_of, contains, existing_page

GOOD = frozenset({Status.SUCCESS, Status.INFORMATIONAL})
MOST_SHOWN = 100  # of the problems, and of those that went well
WORST_FIRST = (badness_of(MailObject.status).desc(), MailObject.number)

_FACTS = (MailObject.name, MailObject.type, MailObject.status, MailObject.message, MailObject.recovered)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRow:
    """One object of a reading, or of a run of several; then `recovered_on` is the retry that made it good."""

    name: str
    type: str
    status: Status
    message: str
    recovered: bool
    recovered_on: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Objects:
    """How a reading's objects went, and the first of them: `problems` by how bad they are, and the `fine` ones."""

    counts: Mapping[Status, int]
    problems: tuple[ObjectRow, ...]
    fine: tuple[ObjectRow, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def problem_counts(self) -> dict[Status, int]:
        return {status: count for status, count in self.counts.items() if status not in GOOD}

    @property
    def problem_count(self) -> int:
        return sum(self.problem_counts.values())

    @property
    def fine_count(self) -> int:
        return self.total - self.problem_count

    @property
    def is_cut(self) -> bool:
        return self.total > len(self.problems) + len(self.fine)


NO_OBJECTS = Objects(counts={}, problems=(), fine=())


def first_objects(db: Session, reading_ids: Sequence[int]) -> dict[int, Objects]:
    """Return the objects of the readings that have some, by reading."""
    counts: dict[int, dict[Status, int]] = {}
    for reading_id, status, count in db.execute(_counted(reading_ids)):
        counts.setdefault(reading_id, {})[status] = count
    shown: dict[int, list[ObjectRow]] = {}
    for reading_id, *facts in db.execute(_first(reading_ids)):
        shown.setdefault(reading_id, []).append(_row(*facts))
    return {
        reading_id: Objects(
            counts=counts[reading_id],
            problems=tuple(thing for thing in things if thing.status not in GOOD),
            fine=tuple(thing for thing in things if thing.status in GOOD),
        )
        for reading_id, things in shown.items()
    }


def objects_of(db: Session, reading_id: int, text: str, page: int) -> Page[ObjectRow]:
    """Return one page of a reading's objects in whose facts all words of `text` stand, the worst first."""
    searched = (MailObject.name, MailObject.type, MailObject.message)
    found = select(*_FACTS).where(
        MailObject.reading_id == reading_id, *(contains(word, *searched) for word in text.split())
    )
    total = db.scalar(select(func.count()).select_from(found.subquery())) or 0
    number = existing_page(page, total)
    worst_first = found.order_by(*WORST_FIRST).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return Page(rows=tuple(_row(*facts) for facts in db.execute(worst_first)), number=number, total=total)


def _row(*facts: Any) -> ObjectRow:  # noqa: ANN401 -- columns as the database gives them
    return ObjectRow(**dict(zip(("name", "type", "status", "message", "recovered"), facts, strict=True)))


def _counted(reading_ids: Sequence[int]) -> Select[int, Status, int]:
    return (
        select(MailObject.reading_id, MailObject.status, func.count())
        .where(MailObject.reading_id.in_(reading_ids))
        .group_by(MailObject.reading_id, MailObject.status)
    )


def _first(reading_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    alike = (MailObject.reading_id, MailObject.status.in_(GOOD))
    numbered = (
        select(
            MailObject.reading_id,
            *_FACTS,
            badness_of(MailObject.status).label("badness"),
            MailObject.number,
            func.row_number().over(partition_by=alike, order_by=WORST_FIRST).label("place"),
        )
        .where(MailObject.reading_id.in_(reading_ids))
        .subquery()
    )
    columns = numbered.c
    return (
        select(columns.reading_id, *(columns[column.key] for column in _FACTS))
        .where(columns.place <= MOST_SHOWN)
        .order_by(columns.reading_id, columns.badness.desc(), columns.number)
    )
