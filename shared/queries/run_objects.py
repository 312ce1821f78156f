"""The objects of a run that several mails tell of: of each its last attempt."""

from collections import Counter

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from shared.domain.attempts import combine
from shared.domain.status import Status, badness
from shared.models.attempts import attempts_of
from shared.models.jobs import JobRun
from shared.models.mail import MailObject
from shared.queries.objects import GOOD, MOST_SHOWN, WORST_FIRST, ObjectRow, Objects
from shared.queries.rows import PAGE_SIZE, Page, existing_page


def has_attempts(db: Session, run_id: int) -> bool:
    return bool(db.scalar(select(exists().where(JobRun.attempt_of_id == run_id))))


def first_objects_of_run(db: Session, run_id: int) -> Objects:
    """Return how the objects went at last, and the first of them."""
    rows = _last_attempts(db, run_id)
    return Objects(
        counts=Counter(row.status for row in rows),
        problems=tuple([row for row in rows if row.status not in GOOD][:MOST_SHOWN]),
        fine=tuple([row for row in rows if row.status in GOOD][:MOST_SHOWN]),
    )


def objects_of_run(db: Session, run_id: int, text: str, page: int) -> Page[ObjectRow]:
    """Return one page of the objects in whose facts all words of `text` stand, the worst first."""
    words = text.casefold().split()
    rows = [row for row in _last_attempts(db, run_id) if all(word in _searched(row) for word in words)]
    number = existing_page(page, len(rows))
    shown = rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Page(rows=tuple(shown), number=number, total=len(rows))


def statuses_of_run(db: Session, run: JobRun) -> list[tuple[str, Status]]:
    """Return the names of a run's objects and how they went at last, the worst first."""
    if has_attempts(db, run.id):
        return [(row.name, row.status) for row in _last_attempts(db, run.id)]
    found = select(MailObject.name, MailObject.status).where(MailObject.reading_id == run.reading_id)
    return [(name, status) for name, status in db.execute(found.order_by(*WORST_FIRST))]


def _last_attempts(db: Session, run_id: int) -> list[ObjectRow]:
    """Return each object's last attempt: the worst first, and of those that are good what recovered."""
    rows = [
        ObjectRow(
            name=last.result.name,
            type=last.result.type,
            status=last.result.status,
            message=last.result.message,
            recovered=last.result.recovered,
            recovered_on=last.recovered_on,
        )
        for last in combine(attempts_of(db, run_id)).objects
    ]
    return sorted(rows, key=lambda row: (-badness(row.status), row.recovered_on is None))


def _searched(row: ObjectRow) -> str:
    return f"{row.name}\n{row.type}\n{row.message}".casefold()
