"""When jobs are expected to run, and what became of each slot."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.schedule import ScheduleKind
from shared.domain.slot_state import ScheduleMode, SlotState


class JobSchedule(Base):
    """How one job is watched: by the slots of its schedule, or where there is none by a maximum silence.

    `lanes` and the two proposals are as `domain/schedule_json.py` writes them; without lanes no slots are made from
    them. A `proposal` expects less than what is in force, which stays so until a person accepts it; one that a person
    `declined` isn't proposed again. Of the runs before one was `accepted_at` nothing more is learned: they show what
    was given up.
    """

    __tablename__ = "job_schedules"
    __table_args__ = (
        CheckConstraint(
            "(mode = 'learned') = (decided_by IS NULL) AND (mode = 'learned') = (decided_at IS NULL)",
            name="decided_is_paired",
        ),
        CheckConstraint("num_nonnulls(learned_at, learned_from, learned_until) IN (0, 3)", name="learned_is_whole"),
        CheckConstraint("num_nonnulls(paused_at, paused_until, paused_by) IN (0, 3)", name="paused_is_whole"),
        CheckConstraint("paused_until BETWEEN paused_at AND paused_at + interval '31 days'", name="pause_is_short"),
        CheckConstraint("grace_minutes BETWEEN 1 AND 720", name="grace_in_range"),
        CheckConstraint("silence_minutes > 0", name="silence_is_positive"),
    )

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    mode: Mapped[ScheduleMode] = mapped_column(choice(ScheduleMode, "mode"), server_default=ScheduleMode.LEARNED)
    kind: Mapped[ScheduleKind] = mapped_column(choice(ScheduleKind, "kind"), server_default=ScheduleKind.UNKNOWN)
    lanes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    confidence: Mapped[float | None] = mapped_column(Float)
    proposal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    declined: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    accepted_at: Mapped[Instant | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    decided_at: Mapped[Instant | None]
    grace_minutes: Mapped[int | None]  # an operator's own, instead of what the lanes say
    learned_at: Mapped[Instant | None]
    learned_from: Mapped[Instant | None]  # the first and the last run that it was learned from, and how many
    learned_until: Mapped[Instant | None]
    learned_runs: Mapped[int] = mapped_column(server_default=text("0"))
    slots_until: Mapped[date | None]  # the last local day that has its slots
    silence_minutes: Mapped[int | None]  # the maximum silence, where no schedule is in force
    sleeps: Mapped[bool] = mapped_column(server_default=text("false"))  # a workstation: no slots, only overdue
    paused_at: Mapped[Instant | None]
    paused_until: Mapped[Instant | None]
    paused_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    pause_reason: Mapped[str] = mapped_column(server_default="")
    watched_from: Mapped[Instant | None]  # the end of the last time in which nobody watched it
    stopped_at: Mapped[Instant | None]  # silent for so long that its slots make no runs any more


class JobSlot(Base):
    """A moment at which a run of a job was expected, and what became of it.

    An `is_silence` slot stands for the maximum silence: it lies where that runs out, and moves on with each run.
    `why` says why it was skipped or is not judged. `candidate_id` is a mail in the inbox that may be its run.
    """

    __tablename__ = "job_slots"
    __table_args__ = (
        CheckConstraint("early_from <= slot_at AND slot_at <= deadline", name="times_in_order"),
        CheckConstraint("state IN ('arrived', 'late', 'missed') OR run_id IS NULL", name="run_has_a_state"),
        CheckConstraint("state <> 'skipped' OR why <> ''", name="skipped_has_a_reason"),
        Index("ix_job_slots_open", "job_id", "deadline", postgresql_where=text("state IN ('expected', 'not_judged')")),
        Index("ix_job_slots_missed", "deadline", postgresql_where=text("state = 'missed'")),
        Index("ix_job_slots_not_judged", "job_id", postgresql_where=text("state = 'not_judged'")),
        Index("ix_job_slots_day", "day"),
        Index("ix_job_slots_run_id", "run_id", postgresql_where=text("run_id IS NOT NULL")),
        Index("ix_job_slots_candidate_id", "candidate_id", postgresql_where=text("candidate_id IS NOT NULL")),
    )

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    slot_at: Mapped[Instant] = mapped_column(primary_key=True)
    day: Mapped[date]  # local; a job around midnight keeps its day
    early_from: Mapped[Instant]
    deadline: Mapped[Instant]
    is_silence: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[SlotState] = mapped_column(choice(SlotState, "state"), server_default=SlotState.EXPECTED)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    why: Mapped[str] = mapped_column(server_default="")
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("mail_messages.id", ondelete="SET NULL"))


class SilentSource(Base):
    """A sender, or a customer, of which nearly all jobs fell silent together; over at `ended_at`.

    Their missed runs point at it, so that they are one item. `began_at` and `last_at` are slots.
    """

    __tablename__ = "silent_sources"
    __table_args__ = (
        CheckConstraint("num_nonnulls(from_address, customer_id) = 1", name="of_one"),
        CheckConstraint("began_at <= last_at", name="times_in_order"),
        Index("uq_silent_sources_sender", "from_address", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("uq_silent_sources_customer", "customer_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    from_address: Mapped[str | None]  # folded
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    began_at: Mapped[Instant]
    last_at: Mapped[Instant]
    ended_at: Mapped[Instant | None]


class ClosedDay(Base):
    """A day on which a customer, or one job, runs no backups."""

    __tablename__ = "closed_days"
    __table_args__ = (
        CheckConstraint("num_nonnulls(customer_id, job_id) = 1", name="of_one"),
        CheckConstraint("name = btrim(name) AND name <> ''", name="name_is_tidy"),
        Index("uq_closed_days_customer", "customer_id", "day", unique=True, postgresql_where=text("job_id IS NULL")),
        Index("uq_closed_days_job", "job_id", "day", unique=True, postgresql_where=text("customer_id IS NULL")),
    )

    id: Mapped[Id]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    day: Mapped[date]
    name: Mapped[str]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
