"""Mails as they came, what was read in them, and how each reading ended."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.mailflow import Ending, InboxReason, Location, Source
from shared.domain.reading import Kind
from shared.domain.status import Status


class MailMessage(Base):
    """One stored mail.

    `graph_id` (the immutable id) and `file_key` (SHA-256 of a file's name and bytes) name the
    delivery: the same one comes in once. `report_hash` names the report: a second mail with the same
    one is a duplicate of the first unless a person said otherwise. Both outlive deletion.
    """

    __tablename__ = "mail_messages"
    __table_args__ = (
        CheckConstraint("num_nonnulls(graph_id, file_key) = 1", name="one_delivery_id"),
        CheckConstraint("duplicate_of_id <> id", name="not_its_own_duplicate"),
        CheckConstraint("(deleted_at IS NULL) = (location <> 'deleted')", name="deleted_has_a_time"),
        Index(
            "uq_mail_messages_report_hash",
            "report_hash",
            unique=True,
            postgresql_where=text("duplicate_of_id IS NULL AND NOT duplicate_undone"),
        ),
        Index("ix_mail_messages_message_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("ix_mail_messages_imported_at", "imported_at"),
        Index("ix_mail_messages_inbox", text("received_at DESC"), postgresql_where=text("location = 'inbox'")),
        Index("ix_mail_messages_deleted", text("deleted_at DESC"), postgresql_where=text("location = 'deleted'")),
        Index("ix_mail_messages_job_id", "job_id"),
        Index(
            "ix_mail_messages_duplicate_of_id", "duplicate_of_id", postgresql_where=text("duplicate_of_id IS NOT NULL")
        ),
    )

    id: Mapped[Id]
    source: Mapped[Source] = mapped_column(choice(Source, "source"))
    graph_id: Mapped[str | None] = mapped_column(unique=True)
    file_key: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    file_name: Mapped[str] = mapped_column(server_default="")
    message_id: Mapped[str | None]
    message_id_seen_before: Mapped[bool] = mapped_column(server_default=text("false"))
    report_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("mail_messages.id", ondelete="SET NULL"))
    duplicate_undone: Mapped[bool] = mapped_column(server_default=text("false"))
    from_address: Mapped[str] = mapped_column(server_default="")
    from_name: Mapped[str] = mapped_column(server_default="")
    subject: Mapped[str] = mapped_column(server_default="")
    text_body: Mapped[str] = mapped_column(server_default="")
    html_body: Mapped[str] = mapped_column(server_default="")
    attachments: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default=text("'[]'"))
    truncated: Mapped[bool] = mapped_column(server_default=text("false"))
    sent_at: Mapped[Instant | None]
    received_at: Mapped[Instant]
    received_source: Mapped[str]
    imported_at: Mapped[Instant]
    location: Mapped[Location] = mapped_column(choice(Location, "location"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    deleted_at: Mapped[Instant | None]
    deleted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    delete_reason: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]


class MailRaw(Base):
    """The bytes as received, compressed; kept for as many days as the settings say."""

    __tablename__ = "mail_raw"

    mail_id: Mapped[int] = mapped_column(ForeignKey("mail_messages.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)


class MailReading(Base):
    """One reading of a mail and its outcome: the ledger. Every mail has at least one."""

    __tablename__ = "mail_readings"
    __table_args__ = (
        UniqueConstraint("mail_id", "number"),
        CheckConstraint("(outcome = 'inbox') = (inbox_reason IS NOT NULL)", name="inbox_has_a_reason"),
        CheckConstraint("(dismissed_at IS NULL) = (outcome <> 'dismissed')", name="dismissed_has_a_time"),
        CheckConstraint("outcome <> 'event' OR status IS NOT NULL", name="an_event_was_read"),
        Index("ix_mail_readings_waiting", "from_address_key", postgresql_where=text("outcome = 'inbox'")),
        Index("ix_mail_readings_quarantined", "mail_id", postgresql_where=text("outcome = 'quarantined'")),
        Index("ix_mail_readings_job_id", "job_id"),
    )

    id: Mapped[Id]
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail_messages.id", ondelete="CASCADE"))
    number: Mapped[int]
    outcome: Mapped[Ending] = mapped_column(choice(Ending, "outcome"))
    inbox_reason: Mapped[InboxReason | None] = mapped_column(choice(InboxReason, "inbox_reason"))
    reason: Mapped[str] = mapped_column(server_default="")
    could_be: Mapped[list[int]] = mapped_column(JSONB, server_default=text("'[]'"))
    from_address_key: Mapped[str] = mapped_column(server_default="")
    parser: Mapped[str | None]
    backup_software: Mapped[str | None]
    backup_type: Mapped[str | None]
    job_name: Mapped[str | None]
    origin: Mapped[str | None]
    kind: Mapped[Kind | None] = mapped_column(choice(Kind, "kind"))
    status: Mapped[Status | None] = mapped_column(choice(Status, "status"))
    message: Mapped[str] = mapped_column(server_default="")
    evidence: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    objects_complete: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[str | None]  # ISO 8601 as read; without an offset it is the machine's wall clock
    ended_at: Mapped[str | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    session_id: Mapped[str | None]
    retry: Mapped[int | None] = mapped_column(CheckConstraint("retry > 0", name="retries_count_from_one"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    dismissed_at: Mapped[Instant | None]
    dismissed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))


class MailObject(Base):
    """One object inside a reading, in the mail's order."""

    __tablename__ = "mail_objects"
    __table_args__ = (UniqueConstraint("reading_id", "number"),)

    id: Mapped[Id]
    reading_id: Mapped[int] = mapped_column(ForeignKey("mail_readings.id", ondelete="CASCADE"))
    number: Mapped[int]
    name: Mapped[str]
    type: Mapped[str] = mapped_column(server_default="")
    status: Mapped[Status] = mapped_column(choice(Status, "status"))
    message: Mapped[str] = mapped_column(server_default="")
    recovered: Mapped[bool] = mapped_column(server_default=text("false"))
