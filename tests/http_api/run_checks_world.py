"""Runs to review, committed, and what the page of Run Checks shows of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from itertools import count

from httpx import Response
from sqlalchemy import event, select, update

from shared import clock
from shared.db.session import engine, transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun
from tests.builders import make_customer, make_job, make_run

_numbers = count(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A job and its runs, oldest first."""

    job_id: int
    run_ids: tuple[int, ...]

    @property
    def run_id(self) -> int:
        return self.run_ids[-1]

    @property
    def pairs(self) -> str:
        """What a checkbox carries while nothing has changed."""
        return ",".join(f"{run_id}:1" for run_id in reversed(self.run_ids))


def a_job(
    *statuses: Status, customer: str = "", name: str = "Nightly", message: str = "", software: str = "Veeam"
) -> Made:
    """Commit a job with a run a night, the last one an hour ago."""
    with transaction() as db:
        customer_id = make_customer(db, customer or f"Customer {next(_numbers):04}")  # in the order they are made
        job_id = make_job(db, name, customer_id=customer_id, software=software, origin=f"host {customer_id}")
    last = clock.now() - timedelta(hours=1)
    nights = [last - timedelta(days=len(statuses) - 1 - number) for number in range(len(statuses))]
    return Made(
        job_id=job_id, run_ids=tuple(a_run(job_id, *each, message) for each in zip(statuses, nights, strict=True))
    )


def a_run(job_id: int, status: Status, run_at: datetime | None = None, message: str = "") -> int:
    """Commit one more run of a job."""
    with transaction() as db:
        run = make_run(db, job_id, status=status, run_at=run_at or clock.now())
        run.message = message
        return run.id


def change_verdict(run_id: int, status: Status) -> None:
    with transaction() as db:
        db.execute(
            update(JobRun).where(JobRun.id == run_id).values(status=status, verdict_version=JobRun.verdict_version + 1)
        )


def open_runs() -> set[int]:
    with transaction() as db:
        return set(db.scalars(select(JobRun.id).where(JobRun.reviewed_at.is_(None))))


def rows(answer: Response) -> list[str]:
    """Return the text of each row of the list."""
    return [text_of(row) for row in re.findall(r"<tr data-row.*?</tr>", answer.text, re.DOTALL)]


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


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
