"""What is under way to the ticketing system, what failed on its way, and how the system does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from shared.domain.errand_course import MOST_LOST
from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.models.customers import Customer
from shared.models.system import SystemSettings
from shared.models.ticketing import Errand, TicketingCall, TicketingSettings, TicketingState
from shared.models.tickets import Ticket
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, existing_page

OPEN = (ErrandState.FAILED, ErrandState.SENDING, ErrandState.WAITING)


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrandRow:
    """One errand that is not settled. `by` is missing where the app itself decided it."""

    errand_id: int
    kind: ErrandKind
    state: ErrandState
    ticket_id: int
    code: str | None
    title: str
    customer: str
    by: str | None
    created_at: datetime
    due_at: datetime
    attempts: int
    was_sent: bool
    is_withdrawn: bool
    times_lost: int
    last_error: str

    @property
    def is_lost(self) -> bool:
        """Whether it may have been made in spite of all, so that sending it again may make another one."""
        return self.state is ErrandState.FAILED and self.times_lost >= MOST_LOST and not self.is_withdrawn

    @property
    def waits_for_a_look(self) -> bool:
        """Whether it is withdrawn and nobody looks for it before a person says so."""
        return self.is_withdrawn and self.state is ErrandState.FAILED

    def is_being_sent(self, now: datetime) -> bool:
        return self.state is ErrandState.SENDING and self.due_at > now

    def may_have_got_through(self, now: datetime) -> bool:
        """Whether nobody can tell yet."""
        return self.state is ErrandState.WAITING and self.was_sent and self.due_at > now


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketingHealth:
    """How the ticketing system does. `vanished` tickets at once made the last poll stop."""

    provider: TicketSource
    is_sandbox: bool
    poll_minutes: int
    polled_at: datetime | None
    poll_error: str
    vanished: int
    failed: int
    waiting: int
    oldest_at: datetime | None


def open_errands(db: Session, page: int) -> Page[ErrandRow]:
    """Return one page of what is not settled: what failed first, then by when it is due."""
    total = db.scalar(select(func.count()).select_from(Errand).where(Errand.state.in_(OPEN))) or 0
    number = existing_page(page, total)
    failed_first = case((Errand.state == ErrandState.FAILED, 0), else_=1)
    newest = _rows().order_by(failed_first, Errand.due_at, Errand.id)
    found = db.execute(newest.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return Page(rows=tuple(ErrandRow(**row._asdict()) for row in found), number=number, total=total)


def open_errand(db: Session, errand_id: int) -> ErrandRow | None:
    """Return one errand that is not settled."""
    row = db.execute(_rows().where(Errand.id == errand_id)).one_or_none()
    return ErrandRow(**row._asdict()) if row else None


def last_calls(db: Session, number: int) -> Sequence[TicketingCall]:
    """Return the last calls to the ticketing system, newest first."""
    return db.scalars(select(TicketingCall).order_by(TicketingCall.id.desc()).limit(number)).all()


def ticketing_health(db: Session) -> TicketingHealth:
    """Return how the ticketing system does, in one statement."""
    waits = Errand.state.in_((ErrandState.WAITING, ErrandState.SENDING))
    counted = select(
        func.count().filter(Errand.state == ErrandState.FAILED).label("failed"),
        func.count().filter(waits).label("waiting"),
        func.min(Errand.created_at).filter(waits).label("oldest_at"),
    ).where(Errand.state.in_(OPEN))
    counts = counted.subquery()
    row = db.execute(
        select(
            TicketingSettings.provider,
            SystemSettings.is_sandbox,
            TicketingSettings.poll_minutes,
            TicketingState.polled_at,
            TicketingState.poll_error,
            TicketingState.vanished,
            counts.c.failed,
            counts.c.waiting,
            counts.c.oldest_at,
        )
        .join(SystemSettings, SystemSettings.id == TicketingSettings.id)
        .join(TicketingState, TicketingState.id == TicketingSettings.id)
        .join(counts, counts.c.failed >= 0)
    ).one()
    return TicketingHealth(**row._asdict())


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Errand.id.label("errand_id"),
            Errand.kind,
            Errand.state,
            Errand.ticket_id,
            Ticket.ticket_code.label("code"),
            Ticket.title,
            Customer.name.label("customer"),
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("by"),
            Errand.created_at,
            Errand.due_at,
            Errand.attempts,
            Errand.was_sent,
            Errand.is_withdrawn,
            Errand.times_lost,
            Errand.last_error,
        )
        .join(Ticket, Ticket.id == Errand.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Errand.created_by)
        .where(Errand.state.in_(OPEN))
    )
