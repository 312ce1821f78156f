"""What is open on jobs and explains their runs: the marks beside a job in lists, and the notice on its page."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from shared.models.jobs import JobRun
from shared.models.tickets import (
    Remark,
    RemarkScope,
    Ticket,
    TicketScope,
    is_explained,
    is_open_on_job,
    remark_over_at,
)

_WORDS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTicket:
    """A ticket that is open on a job; `code` is missing while it is being made."""

    ticket_id: int
    code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenRemark:
    """A remark that is open on a job; of a long one only the beginning."""

    remark_id: int
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenOnJob:
    """What is open on a job, newest first."""

    tickets: tuple[OpenTicket, ...] = ()
    remarks: tuple[OpenRemark, ...] = ()


NOTHING_OPEN = OpenOnJob()


def open_on_jobs(db: Session, job_ids: Sequence[int]) -> dict[int, OpenOnJob]:
    """Return what is open on those of the jobs that have something, in one statement."""
    both = union_all(_tickets(job_ids), _remarks(job_ids)).subquery()
    found = db.execute(select(both).order_by(both.c.id.desc())).all()
    by_job: dict[int, tuple[list[OpenTicket], list[OpenRemark]]] = {}
    for job_id, is_ticket, row_id, words in found:
        tickets, remarks = by_job.setdefault(job_id, ([], []))
        if is_ticket:
            tickets.append(OpenTicket(ticket_id=row_id, code=words))
        else:
            remarks.append(OpenRemark(remark_id=row_id, words=words))
    return {job_id: OpenOnJob(tickets=tuple(both[0]), remarks=tuple(both[1])) for job_id, both in by_job.items()}


def open_on_any(jobs: Iterable[OpenOnJob]) -> OpenOnJob:
    """Return what is open on any of several jobs, once, newest first."""
    tickets, remarks = dict[int, OpenTicket](), dict[int, OpenRemark]()
    for each in jobs:
        tickets |= {ticket.ticket_id: ticket for ticket in each.tickets}
        remarks |= {remark.remark_id: remark for remark in each.remarks}
    return OpenOnJob(
        tickets=tuple(tickets[key] for key in sorted(tickets, reverse=True)),
        remarks=tuple(remarks[key] for key in sorted(remarks, reverse=True)),
    )


def explained_runs(db: Session, run_ids: Collection[int]) -> set[int]:
    """Return those of the runs whose review needs no further reason."""
    return set(db.scalars(select(JobRun.id).where(JobRun.id.in_(run_ids), is_explained())))


def _tickets(job_ids: Sequence[int]) -> Select[int, bool, int, str | None]:
    return (
        select(TicketScope.job_id, literal(True).label("is_ticket"), Ticket.id, Ticket.ticket_code.label("words"))
        .join(Ticket, Ticket.id == TicketScope.ticket_id)
        .where(TicketScope.job_id.in_(job_ids), is_open_on_job())
    )


def _remarks(job_ids: Sequence[int]) -> Select[int, bool, int, str]:
    return (
        select(RemarkScope.job_id, literal(False).label("is_ticket"), Remark.id, func.left(Remark.body, _WORDS))
        .join(Remark, Remark.id == RemarkScope.remark_id)
        .where(RemarkScope.job_id.in_(job_ids), remark_over_at().is_(None))
    )
