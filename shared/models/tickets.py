"""Tickets and remarks, the jobs they are about, and the runs they are linked to."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    and_,
    exists,
    func,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import Mismatch
from shared.models.jobs import JobRun


class Ticket(Base):
    """Somebody's work on bad runs of one customer, kept here or by a ticketing system.

    `ticket_code` is missing while the ticketing system makes the ticket. `remote_id` is its id there; `deleted_at` is
    set on proof that it is gone, `misses` counts how often it was not to be seen. A resolved ticket whose
    `resolved_by` is missing was resolved by the app, where there is an errand that tells so, or else over there.
    `noted` is what was told of its jobs' troubles there so far, `looked_at` when they were last looked through for
    news; `remote_asked_at` is when somebody last asked for it alone. While there is a `remote_mismatch`, what has its
    id over there is another ticket, or another company's by now: it is not followed, and nothing is sent to it.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("id", "customer_id"),  # for the scopes
        UniqueConstraint("source", "remote_id"),
        CheckConstraint("ticket_code = btrim(ticket_code) AND ticket_code <> ''", name="code_is_tidy"),
        CheckConstraint("source <> 'manual' OR ticket_code IS NOT NULL", name="typed_has_a_code"),
        CheckConstraint("source <> 'manual' OR remote_id IS NULL", name="typed_is_not_remote"),
        CheckConstraint("resolved_by IS NULL OR resolved_at IS NOT NULL", name="resolved_has_a_time"),
        Index("uq_tickets_code", text("lower(ticket_code)"), unique=True),
        Index("ix_tickets_customer_id", "customer_id"),
        Index("ix_tickets_open", "id", postgresql_where=text("resolved_at IS NULL AND deleted_at IS NULL")),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    source: Mapped[TicketSource] = mapped_column(choice(TicketSource, "source"))
    ticket_code: Mapped[str | None]
    title: Mapped[str] = mapped_column(server_default="")
    description: Mapped[str] = mapped_column(server_default="")
    active_from_date: Mapped[date]  # of the oldest run that it was made for, in the zone of the pages
    start_date: Mapped[Instant]
    resolved_at: Mapped[Instant | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    reopened_at: Mapped[Instant | None]  # the last time
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    remote_id: Mapped[str | None]
    remote_company_id: Mapped[str | None]  # whose it is over there; learned when it was made, adopted or first seen
    remote_mismatch: Mapped[Mismatch | None] = mapped_column(choice(Mismatch, "remote_mismatch"))
    remote_status_id: Mapped[str] = mapped_column(server_default="")
    remote_seen_at: Mapped[Instant | None]
    misses: Mapped[int] = mapped_column(server_default=text("0"))
    deleted_at: Mapped[Instant | None]
    noted_at: Mapped[Instant | None]
    noted: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    looked_at: Mapped[Instant | None]
    remote_asked_at: Mapped[Instant | None]


class TicketScope(Base):
    """A job that a ticket is about, until it is resolved for that job.

    The customer is that of both while the scope is open: a ticket never covers jobs of two. Moving a job ends its
    scopes for good, and takes their customer away.
    """

    __tablename__ = "ticket_scopes"
    __table_args__ = (
        UniqueConstraint("ticket_id", "job_id"),
        ForeignKeyConstraint(["ticket_id", "customer_id"], ["tickets.id", "tickets.customer_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["job_id", "customer_id"], ["jobs.id", "jobs.customer_id"], ondelete="CASCADE"),
        CheckConstraint("customer_id IS NOT NULL OR resolved_at IS NOT NULL", name="open_has_a_customer"),
        Index("ix_ticket_scopes_open", "job_id", postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    resolved_at: Mapped[Instant | None]


class TicketRun(Base):
    """A run that a ticket is linked to. Links stay when the ticket is resolved.

    `linked_at` moves on when the run comes to say something else: then it is to be looked at again.
    """

    __tablename__ = "ticket_job_runs"
    __table_args__ = (Index("ix_ticket_job_runs_job_run_id", "job_run_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    job_run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    linked_at: Mapped[CreatedAt]


class Remark(Base):
    """A note on jobs that needs no ticket."""

    __tablename__ = "remarks"
    __table_args__ = (
        CheckConstraint("body = btrim(body) AND body <> ''", name="body_is_tidy"),
        CheckConstraint("resolved_by IS NULL OR resolved_at IS NOT NULL", name="resolved_has_a_time"),
        Index("ix_remarks_customer_id", "customer_id"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    body: Mapped[str]
    resolved_at: Mapped[Instant | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]


class RemarkScope(Base):
    """A job that a remark is about, until it is resolved for that job."""

    __tablename__ = "remark_scopes"
    __table_args__ = (
        UniqueConstraint("remark_id", "job_id"),
        Index("ix_remark_scopes_open", "job_id", postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[Id]
    remark_id: Mapped[int] = mapped_column(ForeignKey("remarks.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    resolved_at: Mapped[Instant | None]


class RemarkRun(Base):
    """A run that a remark is linked to."""

    __tablename__ = "remark_job_runs"
    __table_args__ = (Index("ix_remark_job_runs_job_run_id", "job_run_id"),)

    remark_id: Mapped[int] = mapped_column(ForeignKey("remarks.id", ondelete="CASCADE"), primary_key=True)
    job_run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    linked_at: Mapped[CreatedAt]


def ticket_over_at() -> ColumnElement[datetime | None]:
    """When a ticket (joined with its scope) was resolved for the scope's job."""
    return func.coalesce(TicketScope.resolved_at, Ticket.resolved_at)


def is_open_on_job() -> ColumnElement[bool]:
    """Whether a ticket (joined with its scope) is open on the scope's job."""
    return and_(ticket_over_at().is_(None), Ticket.deleted_at.is_(None))


def remark_over_at() -> ColumnElement[datetime | None]:
    """When a remark (joined with its scope) was resolved for the scope's job."""
    return func.coalesce(RemarkScope.resolved_at, Remark.resolved_at)


def is_explained() -> ColumnElement[bool]:
    """Whether a ticket that is still there, or a remark, is linked to a run: its review needs no further reason."""
    ticket = exists().where(
        TicketRun.job_run_id == JobRun.id, Ticket.id == TicketRun.ticket_id, Ticket.deleted_at.is_(None)
    )
    return or_(ticket, exists().where(RemarkRun.job_run_id == JobRun.id))
