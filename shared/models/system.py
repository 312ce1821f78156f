"""Settings that people change, and the record of import cycles."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Id, Instant, choice
from shared.domain.mailflow import Source


class SystemSettings(Base):
    """The one row of settings; read anew in every cycle."""

    __tablename__ = "system_settings"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one"),
        CheckConstraint("import_interval_minutes BETWEEN 1 AND 60", name="interval_in_range"),
        CheckConstraint("import_batch BETWEEN 1 AND 10000 AND manual_batch BETWEEN 1 AND 10000", name="batch_in_range"),
        CheckConstraint("raw_days BETWEEN 0 AND 3650", name="raw_days_in_range"),
        CheckConstraint("mail_lookback_days BETWEEN 1 AND 365", name="lookback_in_range"),
        CheckConstraint(
            "grace_floor_minutes BETWEEN 1 AND 720 AND missed_look_back_days BETWEEN 1 AND 90 "
            "AND overdue_days BETWEEN 1 AND 90 AND stopped_after_days BETWEEN 1 AND 365",
            name="schedules_in_range",
        ),
        CheckConstraint(
            "silence_factor BETWEEN 1 AND 20 AND silence_min_days BETWEEN 1 AND silence_max_days "
            "AND silence_max_days <= 365",
            name="silence_in_range",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, server_default=text("1"))
    ui_time_zone: Mapped[str] = mapped_column(server_default="Europe/Amsterdam")
    is_sandbox: Mapped[bool] = mapped_column(server_default=text("false"))  # marks each page, makes no ticket anywhere
    import_enabled: Mapped[bool] = mapped_column(server_default=text("false"))
    import_interval_minutes: Mapped[int] = mapped_column(server_default=text("15"))
    import_batch: Mapped[int] = mapped_column(server_default=text("200"))
    manual_batch: Mapped[int] = mapped_column(server_default=text("50"))
    raw_days: Mapped[int] = mapped_column(server_default=text("90"))
    move_processed: Mapped[bool] = mapped_column(server_default=text("true"))
    processed_folder: Mapped[str] = mapped_column(server_default="Backupchecks")  # display name; made when missing
    mail_lookback_days: Mapped[int] = mapped_column(server_default=text("30"))  # of a first read and of a resync

    go_live_on: Mapped[date | None]  # runs before this local day are history
    grace_floor_minutes: Mapped[int] = mapped_column(server_default=text("60"))
    missed_look_back_days: Mapped[int] = mapped_column(server_default=text("14"))
    overdue_days: Mapped[int] = mapped_column(server_default=text("3"))
    stopped_after_days: Mapped[int] = mapped_column(server_default=text("14"))
    silence_factor: Mapped[int] = mapped_column(server_default=text("3"))
    silence_min_days: Mapped[int] = mapped_column(server_default=text("3"))
    silence_max_days: Mapped[int] = mapped_column(server_default=text("35"))


class ImportCycle(Base):
    """One read of a source from start to end; an unfinished one was interrupted.

    A complete one covers its source up to its start. `request_id` is how a page finds the read that it asked for.
    """

    __tablename__ = "import_cycles"
    __table_args__ = (
        Index("ix_import_cycles_source_started_at", "source", text("started_at DESC")),
        Index("ix_import_cycles_mailbox_id_started_at", "mailbox_id", text("started_at DESC")),
    )

    id: Mapped[Id]
    source: Mapped[Source] = mapped_column(choice(Source, "source"))
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id", ondelete="CASCADE"))
    request_id: Mapped[str | None] = mapped_column(unique=True)
    trigger: Mapped[str]
    started_at: Mapped[Instant]
    finished_at: Mapped[Instant | None]
    complete: Mapped[bool] = mapped_column(server_default=text("false"))
    counts: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    error: Mapped[str] = mapped_column(server_default="")
