"""The tickets and remarks of a run: what its panel and the API show.

A ticket concerns a run for one of two reasons: it is linked to it, which stays so for ever, or it is open on the job
and was active on the day of the run. That second reason is the only one here that looks at a date.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select, union
from sqlalchemy.orm import Session, aliased

from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.models.jobs import JobRun
from shared.models.ticketing import Errand
from shared.models.tickets import (
    Remark,
    RemarkRun,
    RemarkScope,
    Ticket,
    TicketRun,
    TicketScope,
    is_open_on_job,
    remark_over_at,
    ticket_over_at,
)


class Because(StrEnum):
    """Why a ticket concerns a run."""

    LINK = "link"
    SCOPE = "scope"


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketAlert:
    """A ticket as it stands for one job: `resolved_at` may be for that job alone.

    `code` is missing while the ticketing system makes the ticket. `errand` is what is still to be done over there, and
    `trouble` why it failed.
    """

    ticket_id: int
    code: str | None
    title: str
    description: str
    source: TicketSource
    active_from: date
    started_at: datetime
    resolved_at: datetime | None
    deleted_at: datetime | None
    because: Because
    errand: ErrandKind | None
    trouble: str

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None and self.deleted_at is None

    @property
    def autotask_number(self) -> str | None:
        return self.code if self.source is TicketSource.AUTOTASK else None


@dataclass(frozen=True, kw_only=True, slots=True)
class RemarkAlert:
    """A remark that is linked to a run, as it stands for the run's job."""

    remark_id: int
    body: str
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alerts:
    """What concerns a run, newest first, what is over last."""

    tickets: tuple[TicketAlert, ...]
    remarks: tuple[RemarkAlert, ...]


NO_ALERTS = Alerts(tickets=(), remarks=())


def alerts_of_run(db: Session, run_id: int, zone: ZoneInfo) -> Alerts | None:
    """Return the tickets and remarks of a run, or of the one that it is an attempt of; None without such a run.

    `zone` is that of the pages: in it the run has its day.
    """
    asked = aliased(JobRun)
    whole = select(func.coalesce(asked.attempt_of_id, asked.id)).where(asked.id == run_id).scalar_subquery()
    run = db.execute(select(JobRun.id, JobRun.job_id, JobRun.run_at).where(JobRun.id == whole)).one_or_none()
    if run is None:
        return None
    day = run.run_at.astimezone(zone).date()
    return Alerts(tickets=_tickets(db, run.id, run.job_id, day), remarks=_remarks(db, run.id, run.job_id))


def _tickets(db: Session, run_id: int, job_id: int, day: date) -> tuple[TicketAlert, ...]:
    concerned = union(_linked_to(run_id), _open_on(job_id, day))
    over_at = ticket_over_at()
    to_do = _first_errand_to_do().lateral("to_do")
    found = db.execute(
        select(
            Ticket,
            TicketRun.ticket_id.is_not(None).label("is_linked"),
            over_at.label("over_at"),
            to_do.c.kind,
            to_do.c.state,
            to_do.c.last_error,
        )
        .outerjoin(TicketRun, and_(TicketRun.ticket_id == Ticket.id, TicketRun.job_run_id == run_id))
        .outerjoin(TicketScope, and_(TicketScope.ticket_id == Ticket.id, TicketScope.job_id == job_id))
        .outerjoin(to_do, to_do.c.ticket_id == Ticket.id)
        .where(Ticket.id.in_(concerned.scalar_subquery()))
        .order_by(or_(over_at.is_not(None), Ticket.deleted_at.is_not(None)), Ticket.id.desc())
    )
    return tuple(
        TicketAlert(
            ticket_id=ticket.id,
            code=ticket.ticket_code,
            title=ticket.title,
            description=ticket.description,
            source=ticket.source,
            active_from=ticket.active_from_date,
            started_at=ticket.start_date,
            resolved_at=resolved_at,
            deleted_at=ticket.deleted_at,
            because=Because.LINK if is_linked else Because.SCOPE,
            errand=kind,
            trouble=error if state is ErrandState.FAILED else "",
        )
        for ticket, is_linked, resolved_at, kind, state, error in found
    )


def _linked_to(run_id: int) -> Select[int]:
    return select(TicketRun.ticket_id).where(TicketRun.job_run_id == run_id)


def _open_on(job_id: int, day: date) -> Select[int]:
    return (
        select(Ticket.id)
        .join(TicketScope, TicketScope.ticket_id == Ticket.id)
        .where(TicketScope.job_id == job_id, is_open_on_job(), Ticket.active_from_date <= day)
    )


def _first_errand_to_do() -> Select[int, ErrandKind, ErrandState, str]:
    """Return the oldest errand of a ticket that isn't over, one that failed first."""
    return (
        select(Errand.ticket_id, Errand.kind, Errand.state, Errand.last_error)
        .where(Errand.ticket_id == Ticket.id, Errand.state.not_in((ErrandState.DONE, ErrandState.CANCELLED)))
        .order_by((Errand.state == ErrandState.FAILED).desc(), Errand.id)
        .limit(1)
        .correlate(Ticket)
    )


def _remarks(db: Session, run_id: int, job_id: int) -> tuple[RemarkAlert, ...]:
    over_at = remark_over_at()
    found = db.execute(
        select(Remark.id, Remark.body, Remark.created_at, over_at)
        .join(RemarkRun, RemarkRun.remark_id == Remark.id)
        .outerjoin(RemarkScope, and_(RemarkScope.remark_id == Remark.id, RemarkScope.job_id == job_id))
        .where(RemarkRun.job_run_id == run_id)
        .order_by(over_at.is_not(None), Remark.id.desc())
    )
    return tuple(
        RemarkAlert(remark_id=remark_id, body=body, created_at=created_at, resolved_at=resolved_at)
        for remark_id, body, created_at, resolved_at in found
    )
