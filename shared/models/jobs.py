"""Jobs, the keys by which their mails are known, their runs and what was reviewed."""

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, and_, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.job_key import KeyStanding
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import Status


class Job(Base):
    """One backup job of a customer. Archived jobs make no runs and keep their history."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("(archived_at IS NULL) = (archived_by IS NULL)", name="archived_is_paired"),
        UniqueConstraint("id", "customer_id"),  # for the scopes of tickets
        Index("ix_jobs_customer_id", "customer_id"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    backup_software: Mapped[str]
    backup_type: Mapped[str]
    job_name: Mapped[str]
    kind: Mapped[Kind] = mapped_column(choice(Kind, "kind"))
    created_at: Mapped[CreatedAt]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    archived_at: Mapped[Instant | None]
    archived_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))


class JobKeyRow(Base):
    """One key of a job, folded; a job may have several, a key belongs to one job."""

    __tablename__ = "job_keys"
    __table_args__ = (
        UniqueConstraint(
            "from_address", "backup_software", "backup_type", "job_name", "origin", name="uq_job_keys_key"
        ),
        Index("ix_job_keys_job_id", "job_id"),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    from_address: Mapped[str]
    backup_software: Mapped[str]
    backup_type: Mapped[str]
    job_name: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default="")
    origin_shown: Mapped[str] = mapped_column(server_default="")  # as the mail spelled it
    standing: Mapped[KeyStanding] = mapped_column(choice(KeyStanding, "standing"), server_default="plain")
    created_at: Mapped[CreatedAt]


class Review(Base):
    """One act of reviewing: some runs, one person, one moment. Undone at most once."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_is_paired"),
        Index("ix_reviews_reviewed_at", "reviewed_at"),
    )

    id: Mapped[Id]
    reviewed_at: Mapped[Instant]
    reviewed_by: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    reason: Mapped[str | None]
    undone_at: Mapped[Instant | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))


class JobRun(Base):
    """One execution of a job. Only `services/record_run.py` makes one.

    `raw_status` is what the mail said; `status` is what it counts as (a vanished object makes a
    success a warning). `verdict_version` grows whenever either changes, so that nobody reviews
    what he has not seen.

    `slot_at` is the slot that the run answers. A missed run is dated at its slot. The mail that comes after all takes
    that row over, unless it was reviewed: then it makes a run of its own, with `late_for_id`. `is_placed` once it was
    given to a slot, or found to fit none.

    A further mail of the same session, and a retry on the same slot, is an attempt of the first run: that one carries
    the verdict of all, each object's last, and is what people review. `recovered_on` is the number of the retry that
    made it good. What is `is_history` came before the go-live date: it teaches schedules and needs no review.
    """

    __tablename__ = "job_runs"
    __table_args__ = (
        CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (review_id IS NULL)",
            name="reviewed_is_paired",
        ),
        CheckConstraint("(source = 'mail') = (matched_by IS NOT NULL)", name="mail_runs_are_matched"),
        CheckConstraint("source <> 'missed' OR slot_at IS NOT NULL", name="missed_has_a_slot"),
        CheckConstraint("late_for_id <> id", name="not_late_for_itself"),
        CheckConstraint("attempt_of_id <> id", name="not_its_own_attempt"),
        CheckConstraint("attempt_of_id IS NULL OR reviewed_at IS NULL", name="attempts_are_not_reviewed"),
        CheckConstraint("recovered_on > 0", name="recovered_on_a_retry"),
        CheckConstraint("silence_id IS NULL OR source = 'missed'", name="grouped_is_missed"),
        CheckConstraint("(source = 'overdue') = (overdue_days IS NOT NULL)", name="overdue_says_how_long"),
        Index(
            "uq_job_runs_slot",
            "job_id",
            "slot_at",
            unique=True,
            postgresql_where=text("slot_at IS NOT NULL AND late_for_id IS NULL AND attempt_of_id IS NULL"),
        ),
        Index(
            "uq_job_runs_overdue",
            "job_id",
            unique=True,
            postgresql_where=text("source = 'overdue' AND reviewed_at IS NULL"),
        ),
        Index("ix_job_runs_missed", "job_id", "slot_at", postgresql_where=text("source = 'missed'")),
        Index("ix_job_runs_unplaced", "job_id", postgresql_where=text("NOT is_placed")),
        Index("ix_job_runs_late_for_id", "late_for_id", postgresql_where=text("late_for_id IS NOT NULL")),
        Index("ix_job_runs_job_id_run_at", "job_id", text("run_at DESC"), text("id DESC")),
        # The runs of a day or a month, whatever their job.
        Index("ix_job_runs_run_at", "run_at", "status", postgresql_where=text("attempt_of_id IS NULL")),
        Index("ix_job_runs_attempt_of_id", "attempt_of_id", postgresql_where=text("attempt_of_id IS NOT NULL")),
        CheckConstraint("(override_id IS NULL) = (overridden_at IS NULL)", name="overridden_is_paired"),
        CheckConstraint("(autotask_ticket_id IS NULL) = (autotask_ticket_created_at IS NULL)", name="ticket_is_whole"),
        Index(
            "ix_job_runs_autotask_ticket_id",
            "autotask_ticket_id",
            postgresql_where=text("autotask_ticket_id IS NOT NULL"),
        ),
        Index(
            "ix_job_runs_autotask_open",
            "job_id",
            postgresql_where=text("autotask_ticket_id IS NOT NULL AND autotask_ticket_deleted_at IS NULL"),
        ),
        Index("ix_job_runs_override_id", "override_id", postgresql_where=text("override_id IS NOT NULL")),
        Index("ix_job_runs_silence_id", "silence_id", postgresql_where=text("silence_id IS NOT NULL")),
        Index(
            "ix_job_runs_unreviewed",
            "job_id",
            postgresql_where=text("reviewed_at IS NULL AND attempt_of_id IS NULL AND NOT is_history"),
        ),
        Index(
            "ix_job_runs_last_good",
            "job_id",
            text("run_at DESC"),
            postgresql_where=text("raw_status IN ('success', 'warning') AND attempt_of_id IS NULL"),
        ),
        Index("ix_job_runs_review_id", "review_id", postgresql_where=text("review_id IS NOT NULL")),
    )

    id: Mapped[Id]
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    source: Mapped[RunSource] = mapped_column(choice(RunSource, "source"))
    reading_id: Mapped[int | None] = mapped_column(ForeignKey("mail_readings.id", ondelete="SET NULL"), unique=True)
    matched_by: Mapped[MatchedBy | None] = mapped_column(choice(MatchedBy, "matched_by"))
    run_at: Mapped[Instant]
    raw_status: Mapped[Status] = mapped_column(choice(Status, "raw_status"))
    status: Mapped[Status] = mapped_column(choice(Status, "status"))
    message: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]
    size_bytes: Mapped[int | None] = mapped_column(
        BigInteger, CheckConstraint("size_bytes >= 0", name="size_is_positive")
    )
    verdict_version: Mapped[int] = mapped_column(server_default=text("1"))
    reviewed_at: Mapped[Instant | None]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    review_id: Mapped[int | None] = mapped_column(ForeignKey("reviews.id", ondelete="RESTRICT"))
    slot_at: Mapped[Instant | None]
    is_late: Mapped[bool] = mapped_column(server_default=text("false"))
    attempt_of_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id"))  # goes with all of it, or not at all
    recovered_on: Mapped[int | None]
    silence_id: Mapped[int | None] = mapped_column(ForeignKey("silent_sources.id", ondelete="SET NULL"))
    late_for_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    overdue_days: Mapped[int | None]  # since the last good backup, of a device that sleeps
    is_placed: Mapped[bool] = mapped_column(server_default=text("false"))
    is_history: Mapped[bool] = mapped_column(server_default=text("false"))
    override_id: Mapped[int | None] = mapped_column(ForeignKey("overrides.id"))  # makes it count as success
    overridden_at: Mapped[Instant | None]
    autotask_ticket_id: Mapped[str | None]
    autotask_ticket_number: Mapped[str] = mapped_column(server_default="")
    autotask_ticket_created_at: Mapped[Instant | None]
    autotask_ticket_created_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    autotask_ticket_deleted_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]


def waits_for_review() -> ColumnElement[bool]:
    """Whether a run is to be reviewed by somebody."""
    return and_(JobRun.reviewed_at.is_(None), JobRun.attempt_of_id.is_(None), ~JobRun.is_history)


class VanishedObject(Base):
    """An object that the job's earlier runs had and this one lacks; a finding until confirmed as removed."""

    __tablename__ = "vanished_objects"
    __table_args__ = (
        UniqueConstraint("run_id", "name", "type"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_is_paired"),
    )

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    confirmed_at: Mapped[Instant | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(server_default="")
