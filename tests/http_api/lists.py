"""What tests of list pages need: rows in the database, rows of a page, and what a page asks the database."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

from httpx import Response
from sqlalchemy import event

from shared import clock
from shared.db.session import engine, transaction
from shared.domain.reading import Kind
from shared.domain.status import Status
from shared.models.customers import Customer
from tests import builders


def make_customer(name: str, *, active: bool = True, note: str = "", time_zone: str | None = None) -> int:
    with transaction() as db:
        customer = Customer(name=name, active=active, note=note, time_zone=time_zone)
        db.add(customer)
        db.flush()
        return customer.id


def make_job(
    name: str = "Nightly",
    customer: int | None = None,
    *,
    archived: bool = False,
    kind: Kind = Kind.REGULAR,
    software: str = builders.VEEAM,
    origin: str = "",
) -> int:
    with transaction() as db:
        sender = f"{name.replace(' ', '')}@{customer}.example"
        return builders.make_job(
            db,
            name,
            customer_id=customer,
            archived=archived,
            kind=kind,
            software=software,
            origin=origin,
            sender=sender,
        )


def make_run(
    job_id: int, status: Status = Status.SUCCESS, *, days_ago: float = 0, objects: tuple[str, ...] = ()
) -> int:
    with transaction() as db:
        run_at = clock.now() - timedelta(days=days_ago, seconds=1)
        return builders.make_run(db, job_id, status=status, run_at=run_at, objects=objects).id


def rows(answer: Response) -> list[str]:
    """Return the text of each row of the page's lists."""
    return [text_of(row) for row in re.findall(r"<tr data-row.*?</tr>", answer.text, re.DOTALL)]


def text_of(html: str) -> str:
    """Return what a reader sees of a page or a piece of one."""
    seen = re.sub(r"<(head|script|dialog)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", seen)).split())


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Collect what the app asks the database."""
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        asked.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine(), "before_cursor_execute", note)
