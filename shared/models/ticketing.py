"""What is kept of the ticketing system: settings, choices, errands to it, and how it answers."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.domain.ticketing import ReferenceKind


class TicketingSettings(Base):
    """The one row of how tickets are made. Ids are choices of the ticketing system (`TicketingChoice`)."""

    __tablename__ = "ticketing_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("poll_minutes BETWEEN 5 AND 1440", name="poll_in_range"),
        CheckConstraint("due_hours BETWEEN 1 AND 720", name="due_in_range"),
        CheckConstraint("resolve_after_good BETWEEN 1 AND 30", name="good_runs_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("1"))
    provider: Mapped[TicketSource] = mapped_column(choice(TicketSource, "provider"), server_default=TicketSource.MANUAL)
    poll_minutes: Mapped[int] = mapped_column(server_default=text("15"))
    queue_id: Mapped[str] = mapped_column(server_default="")
    ticket_source_id: Mapped[str] = mapped_column(server_default="")
    new_status_id: Mapped[str] = mapped_column(server_default="")
    resolved_status_id: Mapped[str] = mapped_column(server_default="")
    closed_status_ids: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))  # beside the resolved one
    issue_type_id: Mapped[str] = mapped_column(server_default="")
    sub_issue_type_id: Mapped[str] = mapped_column(server_default="")
    note_type_id: Mapped[str] = mapped_column(server_default="")
    note_audience_id: Mapped[str] = mapped_column(server_default="")
    priority_failed_id: Mapped[str] = mapped_column(server_default="")
    priority_warning_id: Mapped[str] = mapped_column(server_default="")
    priority_missed_id: Mapped[str] = mapped_column(server_default="")
    due_hours: Mapped[int] = mapped_column(server_default=text("24"))
    title_template: Mapped[str] = mapped_column(server_default="")
    description_template: Mapped[str] = mapped_column(server_default="")
    resolve_after_good: Mapped[int | None]  # good runs in a row; None = never by itself


class TicketingState(Base):
    """The one row of how the ticketing system is doing. An open breaker lets nothing through until a test succeeds.

    It was opened for the credentials of `breaker_credentials`, a fingerprint; for others it is closed. `lease_until`
    lets one poll at a time run. `vanished` tickets at once made the last poll stop.
    """

    __tablename__ = "ticketing_state"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("1"))
    breaker_opened_at: Mapped[Instant | None]
    breaker_why: Mapped[str] = mapped_column(server_default="")
    breaker_credentials: Mapped[str] = mapped_column(server_default="")
    lease_until: Mapped[Instant | None]
    polled_at: Mapped[Instant | None]  # when the last poll that ended well began
    poll_error: Mapped[str] = mapped_column(server_default="")
    vanished: Mapped[int] = mapped_column(server_default=text("0"))
    used: Mapped[int | None]  # requests of the hour, of all applications of the tenant
    used_limit: Mapped[int | None]
    used_at: Mapped[Instant | None]
    choices_at: Mapped[Instant | None]  # when they were last fetched
    companies_at: Mapped[Instant | None]
    tested_at: Mapped[Instant | None]  # the last connection test that found nothing wrong
    tested_credentials: Mapped[str] = mapped_column(server_default="")  # of which credentials, as a fingerprint


class TicketingChoice(Base):
    """One choice that the tenant of the ticketing system made for itself: a queue, a priority, a status."""

    __tablename__ = "ticketing_choices"

    kind: Mapped[ReferenceKind] = mapped_column(choice(ReferenceKind, "kind"), primary_key=True)
    choice_id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    parent_id: Mapped[str] = mapped_column(server_default="")
    position: Mapped[int] = mapped_column(server_default=text("0"))


class Errand(Base):
    """Something to be done at the ticketing system, written down in the transaction that decided it.

    `key` is our own name for it over there, kept before the first call and looked up before any other, so that nothing
    is made twice. `was_sent` tells that an attempt may have got through; one that is withdrawn after that is looked up
    once more and never sent again.
    """

    __tablename__ = "ticketing_errands"
    __table_args__ = (
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_has_a_time"),
        Index("ix_ticketing_errands_due", "due_at", postgresql_where=text("state IN ('waiting', 'sending')")),
        Index("ix_ticketing_errands_ticket_id", "ticket_id"),
        Index(
            "uq_ticketing_errands_create",
            "ticket_id",
            unique=True,
            postgresql_where=text("kind = 'create' AND state <> 'cancelled'"),
        ),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[ErrandKind] = mapped_column(choice(ErrandKind, "kind"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    state: Mapped[ErrandState] = mapped_column(choice(ErrandState, "state"), server_default=ErrandState.WAITING)
    was_sent: Mapped[bool] = mapped_column(server_default=text("false"))
    is_withdrawn: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    times_lost: Mapped[int] = mapped_column(server_default=text("0"))  # sent, and nobody knows whether it arrived
    due_at: Mapped[Instant]
    last_error: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    done_at: Mapped[Instant | None]


class TicketingCall(Base):
    """One call to the ticketing system, as the flight recorder keeps it: nothing of its content, no secrets."""

    __tablename__ = "ticketing_calls"

    id: Mapped[Id]
    at: Mapped[Instant]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int]
    took_ms: Mapped[int]
    attempt: Mapped[int]
    error: Mapped[str] = mapped_column(server_default="")
