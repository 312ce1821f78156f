"""The watcher's own health: heartbeats, dead letters, alarms and whom they tell."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.alarm import AlarmKind, TargetKind


class Heartbeat(Base):
    """When a timer last ran, and last ran well. `every_seconds` is how often it should: three times that is stale."""

    __tablename__ = "heartbeats"
    __table_args__ = (CheckConstraint("every_seconds > 0", name="runs_at_intervals"),)

    name: Mapped[str] = mapped_column(primary_key=True)  # the function's name
    every_seconds: Mapped[int]
    beat_at: Mapped[Instant]
    good_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    healed_at: Mapped[Instant | None]  # when somebody else last did its work because it was stale


class DeadLetter(Base):
    """A queue message that was given up after its last try; kept until a person retries or discards it."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("queue", "message_id"),
        CheckConstraint("num_nonnulls(settled_at, settled_by, settled_as) IN (0, 3)", name="settled_is_whole"),
        CheckConstraint("settled_as IN ('retried', 'discarded')", name="settled_as"),
        Index("ix_dead_letters_open", text("died_at DESC"), postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[Id]
    queue: Mapped[str]  # without "-poison"
    message_id: Mapped[str]
    body: Mapped[str]
    died_at: Mapped[Instant]
    settled_at: Mapped[Instant | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    settled_as: Mapped[str | None]
    created_at: Mapped[CreatedAt]


class Watch(Base):
    """The one row of what the watchdog remembers from tick to tick; its lock lets one tick at a time decide."""

    __tablename__ = "watch"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("1"))
    ticked_at: Mapped[Instant | None]
    since: Mapped[Instant | None]  # first tick after the last pause of its own
    source: Mapped[str] = mapped_column(server_default="")  # what mails were read from at the last tick
    import_on: Mapped[bool] = mapped_column(server_default=text("false"))
    import_on_since: Mapped[Instant | None]  # when it was last seen to be switched on; None = never


class Alarm(Base):
    """Something about the watcher itself that a person must know. One is open per kind and subject.

    `calm_since` is when the trouble was first found gone; it closes after a while of that, dated back to it.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        CheckConstraint("closed_at >= opened_at", name="closes_after_it_opens"),
        Index("uq_alarms_open", "kind", "subject", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_alarms_opened_at", text("opened_at DESC")),
    )

    id: Mapped[Id]
    kind: Mapped[AlarmKind] = mapped_column(choice(AlarmKind, "kind"))
    subject: Mapped[str] = mapped_column(server_default="")
    message: Mapped[str]
    opened_at: Mapped[Instant]
    calm_since: Mapped[Instant | None]
    closed_at: Mapped[Instant | None]


class AlarmTarget(Base):
    """Where alarms are sent. The address is a secret: encrypted, never shown again."""

    __tablename__ = "alarm_targets"
    __table_args__ = (CheckConstraint("name = btrim(name) AND name <> ''", name="name_is_tidy"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[TargetKind] = mapped_column(choice(TargetKind, "kind"))
    address: Mapped[bytes] = mapped_column(LargeBinary)  # encrypted
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    last_sent_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]


class AlarmDelivery(Base):
    """What a target was told of an alarm: its opening, and its end. Sent after the commit, retried until it is said."""

    __tablename__ = "alarm_deliveries"
    __table_args__ = (
        UniqueConstraint("alarm_id", "target_id", "tells_end"),
        Index("ix_alarm_deliveries_waiting", "due_at", postgresql_where=text("sent_at IS NULL AND attempts < 10")),
    )

    id: Mapped[Id]
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id", ondelete="CASCADE"))
    target_id: Mapped[int] = mapped_column(ForeignKey("alarm_targets.id", ondelete="CASCADE"))
    tells_end: Mapped[bool] = mapped_column(server_default=text("false"))
    due_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(server_default="")
