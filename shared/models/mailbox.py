"""Mailboxes read through Microsoft Graph: how far they were read, what came and waits, what is to be moved."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.mailflow import MimeState, MoveState, SubscriptionState


class MailboxRow(Base):
    """One mailbox and its lease: only the holder calls Graph. Leases save work; unique keys keep mails single.

    `wake_requested_at` is set by whoever found the lease taken; the holder looks at it before it ends.
    `throttled_until` is Graph's own word: nobody asks before. `last_error` is cleared by the next good read; where it
    `needs_person`, asking again is no use before somebody mended something.
    """

    __tablename__ = "mailboxes"
    __table_args__ = (
        CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="lease_is_paired"),
        CheckConstraint("(last_error = '') = (last_error_at IS NULL)", name="error_has_a_time"),
    )

    id: Mapped[Id]
    address: Mapped[str] = mapped_column(unique=True)  # lower case
    lease_owner: Mapped[str | None]
    lease_until: Mapped[Instant | None]
    wake_requested_at: Mapped[Instant | None]
    sync_started_at: Mapped[Instant | None]
    sync_finished_at: Mapped[Instant | None]  # of the last complete one
    throttled_until: Mapped[Instant | None]
    gap_checked_at: Mapped[Instant | None]
    last_notification_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    last_error_at: Mapped[Instant | None]
    needs_person: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]


class MailFolderRow(Base):
    """A folder that is read. `link` is where the next page or the next delta begins; None = from the start."""

    __tablename__ = "mail_folders"
    __table_args__ = (UniqueConstraint("mailbox_id", "graph_id"),)

    id: Mapped[Id]
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id", ondelete="CASCADE"))
    graph_id: Mapped[str]  # an immutable id, or a well-known name like "inbox"
    path: Mapped[str]  # as people read it: "Inbox/Backup"
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    link: Mapped[str | None]
    read_until: Mapped[Instant | None]  # start of the last read that reached the end
    resyncs: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[CreatedAt]


class MailArrival(Base):
    """A mail as Graph handed it over, until it is imported: then this row is gone and `mail_messages` has it.

    `content` is the zlib-compressed JSON of the message. `attempts` counts the starts of its import, so that a mail
    which kills its worker ends up quarantined. `queued_at` is when its id was last handed to the queue.
    """

    __tablename__ = "mail_arrivals"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_are_counted"),
        CheckConstraint("(mime = 'fetched') = (raw IS NOT NULL)", name="fetched_is_there"),
        Index("ix_mail_arrivals_mailbox_id_received_at", "mailbox_id", "received_at"),
        Index("ix_mail_arrivals_wanted", "id", postgresql_where=text("mime = 'wanted'")),
    )

    id: Mapped[Id]
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id", ondelete="RESTRICT"))
    graph_id: Mapped[str] = mapped_column(unique=True)
    received_at: Mapped[Instant]
    arrived_at: Mapped[Instant]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    mime: Mapped[MimeState] = mapped_column(choice(MimeState, "mime"), server_default=MimeState.UNASKED)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)  # compressed
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    queued_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(server_default="")


class MailMove(Base):
    """A move of an imported mail out of the way, sent after the commit. Safe to repeat: a mail not found has moved."""

    __tablename__ = "mail_moves"
    __table_args__ = (
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_has_a_time"),
        Index("ix_mail_moves_waiting", "mailbox_id", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_mail_moves_given_up", "mailbox_id", postgresql_where=text("state = 'given_up'")),
    )

    id: Mapped[Id]
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail_messages.id", ondelete="CASCADE"), unique=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id", ondelete="CASCADE"))
    graph_id: Mapped[str]
    state: Mapped[MoveState] = mapped_column(choice(MoveState, "state"), server_default=MoveState.WAITING)
    due_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str] = mapped_column(server_default="")
    settled_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]


class GraphSubscription(Base):
    """Graph's promise to notify us, one a folder. Without it the mailbox is polled, and the settings page says so."""

    __tablename__ = "graph_subscriptions"
    __table_args__ = (
        CheckConstraint("state <> 'active' OR subscription_id IS NOT NULL", name="active_has_an_id"),
        CheckConstraint("(subscription_id IS NULL) = (expires_at IS NULL)", name="expiry_is_paired"),
    )

    id: Mapped[Id]
    folder_id: Mapped[int] = mapped_column(ForeignKey("mail_folders.id", ondelete="CASCADE"), unique=True)
    subscription_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[SubscriptionState] = mapped_column(choice(SubscriptionState, "state"))
    expires_at: Mapped[Instant | None]
    checked_at: Mapped[Instant]
    last_error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
