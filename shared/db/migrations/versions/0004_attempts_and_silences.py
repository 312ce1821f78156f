"""Attempts of runs, and sources that fell silent

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_silent_sources()
    op.add_column("job_schedules", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mail_readings", sa.Column("retry", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_mail_readings_retries_count_from_one"), "mail_readings", "retry > 0")
    op.drop_index("uq_job_runs_slot", "job_runs")
    op.drop_index("ix_job_runs_unreviewed", "job_runs")
    op.drop_index("ix_job_runs_last_good", "job_runs")
    op.drop_column("job_runs", "is_retry")
    op.add_column("job_runs", sa.Column("attempt_of_id", sa.BigInteger(), nullable=True))
    op.add_column("job_runs", sa.Column("recovered_on", sa.Integer(), nullable=True))
    op.add_column("job_runs", sa.Column("silence_id", sa.BigInteger(), nullable=True))
    op.add_column("job_runs", sa.Column("overdue_days", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_job_runs_attempt_of_id"), "job_runs", "job_runs", ["attempt_of_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_job_runs_silence_id"), "job_runs", "silent_sources", ["silence_id"], ["id"], ondelete="SET NULL"
    )
    op.create_check_constraint(op.f("ck_job_runs_not_its_own_attempt"), "job_runs", "attempt_of_id <> id")
    op.create_check_constraint(
        op.f("ck_job_runs_attempts_are_not_reviewed"), "job_runs", "attempt_of_id IS NULL OR reviewed_at IS NULL"
    )
    op.create_check_constraint(op.f("ck_job_runs_recovered_on_a_retry"), "job_runs", "recovered_on > 0")
    op.create_check_constraint(
        op.f("ck_job_runs_grouped_is_missed"), "job_runs", "silence_id IS NULL OR source = 'missed'"
    )
    op.create_check_constraint(
        op.f("ck_job_runs_overdue_says_how_long"), "job_runs", "(source = 'overdue') = (overdue_days IS NOT NULL)"
    )
    op.create_index(
        "uq_job_runs_slot",
        "job_runs",
        ["job_id", "slot_at"],
        unique=True,
        postgresql_where=sa.text("slot_at IS NOT NULL AND late_for_id IS NULL AND attempt_of_id IS NULL"),
    )
    op.create_index(
        "ix_job_runs_unreviewed",
        "job_runs",
        ["job_id"],
        postgresql_where=sa.text("reviewed_at IS NULL AND attempt_of_id IS NULL AND NOT is_history"),
    )
    op.create_index(
        "ix_job_runs_last_good",
        "job_runs",
        ["job_id", sa.text("run_at DESC")],
        postgresql_where=sa.text("raw_status IN ('success', 'warning') AND attempt_of_id IS NULL"),
    )
    op.create_index(
        "ix_job_runs_run_at", "job_runs", ["run_at", "status"], postgresql_where=sa.text("attempt_of_id IS NULL")
    )
    op.create_index(
        "ix_job_runs_attempt_of_id",
        "job_runs",
        ["attempt_of_id"],
        postgresql_where=sa.text("attempt_of_id IS NOT NULL"),
    )
    op.create_index(
        "ix_job_runs_silence_id", "job_runs", ["silence_id"], postgresql_where=sa.text("silence_id IS NOT NULL")
    )


def _add_silent_sources() -> None:
    op.create_index("ix_job_slots_missed", "job_slots", ["deadline"], postgresql_where=sa.text("state = 'missed'"))
    op.create_index(
        "ix_job_slots_not_judged", "job_slots", ["job_id"], postgresql_where=sa.text("state = 'not_judged'")
    )
    op.create_table(
        "silent_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("from_address", sa.String(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("num_nonnulls(from_address, customer_id) = 1", name=op.f("ck_silent_sources_of_one")),
        sa.CheckConstraint("began_at <= last_at", name=op.f("ck_silent_sources_times_in_order")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_silent_sources_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silent_sources")),
    )
    for whose, column in (("sender", "from_address"), ("customer", "customer_id")):
        op.create_index(
            f"uq_silent_sources_{whose}",
            "silent_sources",
            [column],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
