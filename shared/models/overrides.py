"""Rules by which a known problem counts as success."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.override_words import MatchMode, OverrideLevel
from shared.domain.status import Status


class Override(Base):
    """A known problem that counts as success for a while; the raw verdict of a run stays.

    Empty parts match anything, within the limits that the checks hold: an override of all jobs needs a text, one
    without a text needs a job. It covers what failed, never came or couldn't be read only where that was chosen. One of
    level *run* is about the runs that point at it, and nothing else. Any other is about runs dated from `starts_at`
    until it ends; one that begins before it was created was asked to look back. `hits` counts how often a run took it.
    """

    __tablename__ = "overrides"
    __table_args__ = (
        CheckConstraint("(level = 'global') = (job_id IS NULL)", name="global_has_no_job"),
        CheckConstraint("level <> 'global' OR match_text <> ''", name="global_has_a_text"),
        CheckConstraint("object_name IS NULL OR level = 'object'", name="object_has_a_job"),
        CheckConstraint("reason = btrim(reason) AND reason <> ''", name="has_a_reason"),
        CheckConstraint("(level = 'run') = (ends_at IS NULL)", name="rules_end"),
        CheckConstraint("starts_at < ends_at", name="ends_after_it_starts"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_is_paired"),
        CheckConstraint("hits >= 0", name="hits_are_counted"),
        Index("ix_overrides_job_id", "job_id", postgresql_where=text("job_id IS NOT NULL")),
        Index("ix_overrides_global", "ends_at", postgresql_where=text("level = 'global'")),
    )

    id: Mapped[Id]
    level: Mapped[OverrideLevel] = mapped_column(choice(OverrideLevel, "level"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    object_name: Mapped[str | None]
    backup_software: Mapped[str | None]
    backup_type: Mapped[str | None]
    status: Mapped[Status | None] = mapped_column(choice(Status, "status"))
    match_mode: Mapped[MatchMode] = mapped_column(choice(MatchMode, "match_mode"), server_default=MatchMode.CONTAINS)
    match_text: Mapped[str] = mapped_column(server_default="")
    covers_failed: Mapped[bool] = mapped_column(server_default=text("false"))
    covers_missed: Mapped[bool] = mapped_column(server_default=text("false"))
    covers_unreadable: Mapped[bool] = mapped_column(server_default=text("false"))
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant | None]
    reason: Mapped[str]
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_at: Mapped[CreatedAt]
    ended_at: Mapped[Instant | None]  # switched off before its time
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    hits: Mapped[int] = mapped_column(server_default=text("0"))
    last_hit_at: Mapped[Instant | None]
