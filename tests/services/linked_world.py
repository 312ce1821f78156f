"""Bad runs, tickets on them, and the ways in which further runs come."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.domain.ticket import TicketSource
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun
from shared.services.audit import Actor
from shared.services.record_run import record_missed_run, record_overdue_run
from shared.services.tickets import (
    add_manual_ticket,
)
from tests.builders import NIGHT, make_run

NOON = NIGHT + timedelta(hours=9)


def failed(db: Session, job_id: int, at: datetime = NIGHT) -> JobRun:
    return make_run(db, job_id, status=Status.FAILED, run_at=at)


def ticket_on(db: Session, runs: Sequence[JobRun], actor: Actor, code: str = "T20260601.0001", **rest: bool) -> int:
    ids = [run.id for run in runs]
    return add_manual_ticket(db, code=code, description="disk full", run_ids=ids, actor=actor, now=NOON, **rest)


def linked(db: Session, ticket_id: int) -> set[int]:
    return set(db.scalars(select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket_id)))


def by_mail(db: Session, job_id: int, at: datetime) -> int:
    return make_run(db, job_id, run_at=at).id


def missed(db: Session, job_id: int, at: datetime) -> int:
    run_id = record_missed_run(db, job_id, slot_at=at, message="no report came")
    assert run_id is not None
    return run_id


def overdue(db: Session, job_id: int, at: datetime) -> int:
    run_id = record_overdue_run(db, job_id, passed_at=at, days=4, message="no good backup for 4 days")
    assert run_id is not None
    return run_id


WAYS = [by_mail, missed, overdue]
Way = Callable[[Session, int, datetime], int]


def with_autotask(db: Session, run: JobRun, ticket_id: int, number: str = "T20260601.0001", remote: str = "77") -> None:
    """Let Autotask have made the ticket."""
    values = {"source": TicketSource.AUTOTASK, "remote_id": remote, "ticket_code": number}
    db.execute(update(Ticket).where(Ticket.id == ticket_id).values(values))
    run.autotask_ticket_id, run.autotask_ticket_number, run.autotask_ticket_created_at = remote, number, NOON
    db.flush()


def autotask_of(db: Session, run_id: int) -> tuple[str | None, str]:
    copied = select(JobRun.autotask_ticket_id, JobRun.autotask_ticket_number).where(JobRun.id == run_id)
    remote_id, number = db.execute(copied).one()
    return remote_id, number
