"""One ticket: its facts, the jobs it is about, the runs it is linked to, what is done about it elsewhere."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import ReferenceKind
from shared.models.jobs import Job
from shared.models.ticketing import Errand, TicketingChoice
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.models.users import User
from shared.queries.linked_runs import LinkedRun, linked_runs
from shared.queries.rows import PAGE_SIZE, Page
from shared.queries.tickets import TicketRow, ticket_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrandRow:
    """Something that is done about the ticket at the ticketing system."""

    kind: ErrandKind
    state: ErrandState
    created_at: datetime
    due_at: datetime
    done_at: datetime | None
    attempts: int
    last_error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScopeRow:
    """A job that the ticket is about. One that was moved to another customer is over for good."""

    job_id: int
    job_name: str
    software: str
    resolved_at: datetime | None
    was_moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketDetail:
    """One ticket. `status` is what the ticketing system calls its state, or the id of that.

    `is_resolved_here`: it was resolved by the app or a person, and the ticketing system was to be told so.
    """

    row: TicketRow
    description: str
    active_from: date
    resolved_by: str | None
    is_resolved_here: bool
    remote_id: str | None
    status: str
    seen_at: datetime | None
    scopes: tuple[ScopeRow, ...]
    errands: tuple[ErrandRow, ...]


def ticket_detail(db: Session, ticket_id: int) -> TicketDetail | None:
    """Return one ticket, or None."""
    found = db.execute(ticket_rows().where(Ticket.id == ticket_id)).one_or_none()
    if found is None:
        return None
    resolver = aliased(User)
    facts = db.execute(
        select(Ticket, func.coalesce(func.nullif(resolver.display_name, ""), resolver.username), TicketingChoice.label)
        .outerjoin(resolver, resolver.id == Ticket.resolved_by)
        .outerjoin(
            TicketingChoice,
            and_(TicketingChoice.kind == ReferenceKind.STATUS, TicketingChoice.choice_id == Ticket.remote_status_id),
        )
        .where(Ticket.id == ticket_id)
    ).one()
    ticket: Ticket = facts[0]
    return TicketDetail(
        row=TicketRow(**found._asdict()),
        description=ticket.description,
        active_from=ticket.active_from_date,
        resolved_by=facts[1],
        is_resolved_here=ticket.resolved_at is not None and _was_to_be_told(db, ticket),
        remote_id=ticket.remote_id,
        status=facts[2] or ticket.remote_status_id,
        seen_at=ticket.remote_seen_at,
        scopes=_scopes(db, ticket),
        errands=_errands(db, ticket_id),
    )


def runs_of_ticket(db: Session, ticket_id: int, page: int) -> Page[LinkedRun]:
    """Return one page of the runs that the ticket is linked to, newest first."""
    return linked_runs(db, select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket_id), page)


def _scopes(db: Session, ticket: Ticket) -> tuple[ScopeRow, ...]:
    found = db.execute(
        select(
            Job.id.label("job_id"),
            Job.job_name,
            Job.backup_software.label("software"),
            func.coalesce(TicketScope.resolved_at, ticket.resolved_at).label("resolved_at"),
            TicketScope.customer_id.is_(None).label("was_moved"),
        )
        .join(TicketScope, TicketScope.job_id == Job.id)
        .where(TicketScope.ticket_id == ticket.id)
        .order_by(func.lower(Job.job_name), Job.id)
    )
    return tuple(ScopeRow(**row._asdict()) for row in found)


def _was_to_be_told(db: Session, ticket: Ticket) -> bool:
    """Whether word of its end was to be sent since it was made or last taken up again."""
    told = select(Errand.id).where(Errand.ticket_id == ticket.id, Errand.kind == ErrandKind.RESOLVE)
    if ticket.reopened_at is not None:
        told = told.where(Errand.created_at > ticket.reopened_at)
    return db.scalar(told.limit(1)) is not None


def _errands(db: Session, ticket_id: int) -> tuple[ErrandRow, ...]:
    found = db.scalars(select(Errand).where(Errand.ticket_id == ticket_id).order_by(Errand.id.desc()).limit(PAGE_SIZE))
    return tuple(
        ErrandRow(
            kind=errand.kind,
            state=errand.state,
            created_at=errand.created_at,
            due_at=errand.due_at,
            done_at=errand.done_at,
            attempts=errand.attempts,
            last_error=errand.last_error,
        )
        for errand in found
    )
