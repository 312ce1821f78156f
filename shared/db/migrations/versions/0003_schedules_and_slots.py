"""Schedules, slots and closed days

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_days",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name = btrim(name) AND name <> ''", name=op.f("ck_closed_days_name_is_tidy")),
        sa.CheckConstraint("num_nonnulls(customer_id, job_id) = 1", name=op.f("ck_closed_days_of_one")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_closed_days_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_closed_days_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_closed_days_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_days")),
    )
    op.create_index(
        "uq_closed_days_customer",
        "closed_days",
        ["customer_id", "day"],
        unique=True,
        postgresql_where=sa.text("job_id IS NULL"),
    )
    op.create_index(
        "uq_closed_days_job",
        "closed_days",
        ["job_id", "day"],
        unique=True,
        postgresql_where=sa.text("customer_id IS NULL"),
    )
    op.create_table(
        "job_schedules",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum("learned", "pinned", "rejected", name="mode", native_enum=False, create_constraint=True, length=32),
            server_default="learned",
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "hourly",
                "several_daily",
                "daily",
                "weekly",
                "every_n_weeks",
                "monthly",
                "irregular",
                "unknown",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="unknown",
            nullable=False,
        ),
        sa.Column("lanes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("proposal", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("declined", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_minutes", sa.Integer(), nullable=True),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("learned_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("learned_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("learned_runs", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("slots_until", sa.Date(), nullable=True),
        sa.Column("silence_minutes", sa.Integer(), nullable=True),
        sa.Column("sleeps", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_by", sa.BigInteger(), nullable=True),
        sa.Column("pause_reason", sa.String(), server_default="", nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(mode = 'learned') = (decided_by IS NULL) AND (mode = 'learned') = (decided_at IS NULL)",
            name=op.f("ck_job_schedules_decided_is_paired"),
        ),
        sa.CheckConstraint(
            "paused_until BETWEEN paused_at AND paused_at + interval '31 days'",
            name=op.f("ck_job_schedules_pause_is_short"),
        ),
        sa.CheckConstraint("grace_minutes BETWEEN 1 AND 720", name=op.f("ck_job_schedules_grace_in_range")),
        sa.CheckConstraint(
            "num_nonnulls(learned_at, learned_from, learned_until) IN (0, 3)",
            name=op.f("ck_job_schedules_learned_is_whole"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(paused_at, paused_until, paused_by) IN (0, 3)", name=op.f("ck_job_schedules_paused_is_whole")
        ),
        sa.CheckConstraint("silence_minutes > 0", name=op.f("ck_job_schedules_silence_is_positive")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_job_schedules_decided_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_schedules_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["paused_by"], ["users.id"], name=op.f("fk_job_schedules_paused_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_schedules")),
    )
    op.create_table(
        "job_slots",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("early_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_silence", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "expected",
                "arrived",
                "late",
                "missed",
                "not_judged",
                "skipped",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="expected",
            nullable=False,
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.Column("candidate_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state <> 'skipped' OR why <> ''", name=op.f("ck_job_slots_skipped_has_a_reason")),
        sa.CheckConstraint(
            "state IN ('arrived', 'late', 'missed') OR run_id IS NULL", name=op.f("ck_job_slots_run_has_a_state")
        ),
        sa.CheckConstraint("early_from <= slot_at AND slot_at <= deadline", name=op.f("ck_job_slots_times_in_order")),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["mail_messages.id"], name=op.f("fk_job_slots_candidate_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_slots_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name=op.f("fk_job_slots_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("job_id", "slot_at", name=op.f("pk_job_slots")),
    )
    op.create_index(
        "ix_job_slots_candidate_id",
        "job_slots",
        ["candidate_id"],
        unique=False,
        postgresql_where=sa.text("candidate_id IS NOT NULL"),
    )
    op.create_index("ix_job_slots_day", "job_slots", ["day"], unique=False)
    op.create_index(
        "ix_job_slots_open",
        "job_slots",
        ["job_id", "deadline"],
        unique=False,
        postgresql_where=sa.text("state IN ('expected', 'not_judged')"),
    )
    op.create_index(
        "ix_job_slots_run_id", "job_slots", ["run_id"], unique=False, postgresql_where=sa.text("run_id IS NOT NULL")
    )
    op.add_column("customers", sa.Column("country", sa.String(), nullable=True))
    op.add_column("customers", sa.Column("go_live_on", sa.Date(), nullable=True))
    op.add_column("job_runs", sa.Column("slot_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_runs", sa.Column("is_late", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("job_runs", sa.Column("is_retry", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("job_runs", sa.Column("late_for_id", sa.BigInteger(), nullable=True))
    op.add_column("job_runs", sa.Column("is_placed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("job_runs", sa.Column("is_history", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ix_job_runs_late_for_id",
        "job_runs",
        ["late_for_id"],
        unique=False,
        postgresql_where=sa.text("late_for_id IS NOT NULL"),
    )
    op.create_index(
        "ix_job_runs_missed",
        "job_runs",
        ["job_id", "slot_at"],
        unique=False,
        postgresql_where=sa.text("source = 'missed'"),
    )
    op.create_index(
        "ix_job_runs_unplaced", "job_runs", ["job_id"], unique=False, postgresql_where=sa.text("NOT is_placed")
    )
    op.create_index(
        "uq_job_runs_overdue",
        "job_runs",
        ["job_id"],
        unique=True,
        postgresql_where=sa.text("source = 'overdue' AND reviewed_at IS NULL"),
    )
    op.create_index(
        "uq_job_runs_slot",
        "job_runs",
        ["job_id", "slot_at"],
        unique=True,
        postgresql_where=sa.text("slot_at IS NOT NULL AND late_for_id IS NULL AND NOT is_retry"),
    )
    op.create_foreign_key(
        op.f("fk_job_runs_late_for_id"), "job_runs", "job_runs", ["late_for_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("system_settings", sa.Column("go_live_on", sa.Date(), nullable=True))
    op.add_column(
        "system_settings", sa.Column("grace_floor_minutes", sa.Integer(), server_default=sa.text("60"), nullable=False)
    )
    op.add_column(
        "system_settings",
        sa.Column("missed_look_back_days", sa.Integer(), server_default=sa.text("14"), nullable=False),
    )
    op.add_column(
        "system_settings", sa.Column("overdue_days", sa.Integer(), server_default=sa.text("3"), nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("stopped_after_days", sa.Integer(), server_default=sa.text("14"), nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("silence_factor", sa.Integer(), server_default=sa.text("3"), nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("silence_min_days", sa.Integer(), server_default=sa.text("3"), nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("silence_max_days", sa.Integer(), server_default=sa.text("35"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_customers_country_is_a_code"), "customers", "country ~ '^[A-Z]{2}$'")
    op.create_check_constraint(
        op.f("ck_job_runs_missed_has_a_slot"), "job_runs", "source <> 'missed' OR slot_at IS NOT NULL"
    )
    op.create_check_constraint(op.f("ck_job_runs_not_late_for_itself"), "job_runs", "late_for_id <> id")
    op.create_check_constraint(
        op.f("ck_system_settings_schedules_in_range"),
        "system_settings",
        "grace_floor_minutes BETWEEN 1 AND 720 AND missed_look_back_days BETWEEN 1 AND 90 "
        "AND overdue_days BETWEEN 1 AND 90 AND stopped_after_days BETWEEN 1 AND 365",
    )
    op.create_check_constraint(
        op.f("ck_system_settings_silence_in_range"),
        "system_settings",
        "silence_factor BETWEEN 1 AND 20 AND silence_min_days BETWEEN 1 AND silence_max_days "
        "AND silence_max_days <= 365",
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
