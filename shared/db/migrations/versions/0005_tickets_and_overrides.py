"""Tickets, remarks, overrides, and what is kept of a ticketing system

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_unique_constraint(op.f("uq_jobs_id_customer_id"), "jobs", ["id", "customer_id"])
    op.create_table(
        "ticketing_calls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketing_calls")),
    )
    op.create_table(
        "ticketing_choices",
        sa.Column(
            "kind",
            sa.Enum(
                "queue",
                "source",
                "status",
                "priority",
                "issue type",
                "sub issue type",
                "note type",
                "note audience",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("choice_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("parent_id", sa.String(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "choice_id", name=op.f("pk_ticketing_choices")),
    )
    op.create_table(
        "ticketing_settings",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "provider",
            sa.Enum("manual", "autotask", name="provider", native_enum=False, create_constraint=True, length=32),
            server_default="manual",
            nullable=False,
        ),
        sa.Column("poll_minutes", sa.Integer(), server_default=sa.text("15"), nullable=False),
        sa.Column("queue_id", sa.String(), server_default="", nullable=False),
        sa.Column("ticket_source_id", sa.String(), server_default="", nullable=False),
        sa.Column("new_status_id", sa.String(), server_default="", nullable=False),
        sa.Column("resolved_status_id", sa.String(), server_default="", nullable=False),
        sa.Column("closed_status_ids", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("issue_type_id", sa.String(), server_default="", nullable=False),
        sa.Column("sub_issue_type_id", sa.String(), server_default="", nullable=False),
        sa.Column("note_type_id", sa.String(), server_default="", nullable=False),
        sa.Column("note_audience_id", sa.String(), server_default="", nullable=False),
        sa.Column("priority_failed_id", sa.String(), server_default="", nullable=False),
        sa.Column("priority_warning_id", sa.String(), server_default="", nullable=False),
        sa.Column("priority_missed_id", sa.String(), server_default="", nullable=False),
        sa.Column("due_hours", sa.Integer(), server_default=sa.text("24"), nullable=False),
        sa.Column("title_template", sa.String(), server_default="", nullable=False),
        sa.Column("description_template", sa.String(), server_default="", nullable=False),
        sa.Column("resolve_after_good", sa.Integer(), nullable=True),
        sa.CheckConstraint("due_hours BETWEEN 1 AND 720", name=op.f("ck_ticketing_settings_due_in_range")),
        sa.CheckConstraint("id = 1", name=op.f("ck_ticketing_settings_only_one")),
        sa.CheckConstraint("poll_minutes BETWEEN 5 AND 1440", name=op.f("ck_ticketing_settings_poll_in_range")),
        sa.CheckConstraint(
            "resolve_after_good BETWEEN 1 AND 30", name=op.f("ck_ticketing_settings_good_runs_in_range")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketing_settings")),
    )
    op.create_table(
        "ticketing_state",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("breaker_opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breaker_why", sa.String(), server_default="", nullable=False),
        sa.Column("breaker_credentials", sa.String(), server_default="", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("poll_error", sa.String(), server_default="", nullable=False),
        sa.Column("vanished", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("used", sa.Integer(), nullable=True),
        sa.Column("used_limit", sa.Integer(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("choices_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("companies_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_credentials", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ticketing_state_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketing_state")),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("body = btrim(body) AND body <> ''", name=op.f("ck_remarks_body_is_tidy")),
        sa.CheckConstraint(
            "resolved_by IS NULL OR resolved_at IS NOT NULL", name=op.f("ck_remarks_resolved_has_a_time")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_remarks_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_remarks_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_remarks_resolved_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
    )
    op.create_index("ix_remarks_customer_id", "remarks", ["customer_id"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("manual", "autotask", name="source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("ticket_code", sa.String(), nullable=True),
        sa.Column("title", sa.String(), server_default="", nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("active_from_date", sa.Date(), nullable=False),
        sa.Column("start_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("remote_status_id", sa.String(), server_default="", nullable=False),
        sa.Column("remote_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("misses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source <> 'manual' OR remote_id IS NULL", name=op.f("ck_tickets_typed_is_not_remote")),
        sa.CheckConstraint("source <> 'manual' OR ticket_code IS NOT NULL", name=op.f("ck_tickets_typed_has_a_code")),
        sa.CheckConstraint(
            "ticket_code = btrim(ticket_code) AND ticket_code <> ''", name=op.f("ck_tickets_code_is_tidy")
        ),
        sa.CheckConstraint(
            "resolved_by IS NULL OR resolved_at IS NOT NULL", name=op.f("ck_tickets_resolved_has_a_time")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_tickets_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_tickets_resolved_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("id", "customer_id", name=op.f("uq_tickets_id_customer_id")),
        sa.UniqueConstraint("source", "remote_id", name=op.f("uq_tickets_source_remote_id")),
    )
    op.create_index("ix_tickets_customer_id", "tickets", ["customer_id"], unique=False)
    op.create_index(
        "ix_tickets_open",
        "tickets",
        ["id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL AND deleted_at IS NULL"),
    )
    op.create_index("uq_tickets_code", "tickets", [sa.literal_column("lower(ticket_code)")], unique=True)
    op.create_table(
        "overrides",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "level",
            sa.Enum("global", "object", "run", name="level", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("object_name", sa.String(), nullable=True),
        sa.Column("backup_software", sa.String(), nullable=True),
        sa.Column("backup_type", sa.String(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "success",
                "informational",
                "warning",
                "failed",
                "unreadable",
                "missed",
                "overdue",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "match_mode",
            sa.Enum(
                "contains",
                "exact",
                "starts_with",
                "ends_with",
                name="match_mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="contains",
            nullable=False,
        ),
        sa.Column("match_text", sa.String(), server_default="", nullable=False),
        sa.Column("covers_failed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("covers_missed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("covers_unreadable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("hits", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_hit_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(level = 'global') = (job_id IS NULL)", name=op.f("ck_overrides_global_has_no_job")),
        sa.CheckConstraint("(level = 'run') = (ends_at IS NULL)", name=op.f("ck_overrides_rules_end")),
        sa.CheckConstraint("level <> 'global' OR match_text <> ''", name=op.f("ck_overrides_global_has_a_text")),
        sa.CheckConstraint("object_name IS NULL OR level = 'object'", name=op.f("ck_overrides_object_has_a_job")),
        sa.CheckConstraint("reason = btrim(reason) AND reason <> ''", name=op.f("ck_overrides_has_a_reason")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_overrides_ended_is_paired")),
        sa.CheckConstraint("hits >= 0", name=op.f("ck_overrides_hits_are_counted")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_overrides_ends_after_it_starts")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_overrides_created_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_overrides_ended_by"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_overrides_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
    )
    op.create_index(
        "ix_overrides_global",
        "overrides",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("level = 'global'"),
    )
    op.create_index(
        "ix_overrides_job_id", "overrides", ["job_id"], unique=False, postgresql_where=sa.text("job_id IS NOT NULL")
    )
    op.create_table(
        "remark_scopes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("remark_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_remark_scopes_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["remark_id"], ["remarks.id"], name=op.f("fk_remark_scopes_remark_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark_scopes")),
        sa.UniqueConstraint("remark_id", "job_id", name=op.f("uq_remark_scopes_remark_id_job_id")),
    )
    op.create_index(
        "ix_remark_scopes_open",
        "remark_scopes",
        ["job_id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "ticket_scopes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "customer_id IS NOT NULL OR resolved_at IS NOT NULL", name=op.f("ck_ticket_scopes_open_has_a_customer")
        ),
        sa.ForeignKeyConstraint(
            ["job_id", "customer_id"],
            ["jobs.id", "jobs.customer_id"],
            name=op.f("fk_ticket_scopes_job_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_ticket_scopes_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id", "customer_id"],
            ["tickets.id", "tickets.customer_id"],
            name=op.f("fk_ticket_scopes_ticket_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_scopes_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_scopes")),
        sa.UniqueConstraint("ticket_id", "job_id", name=op.f("uq_ticket_scopes_ticket_id_job_id")),
    )
    op.create_index(
        "ix_ticket_scopes_open",
        "ticket_scopes",
        ["job_id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "ticketing_errands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("create", "resolve", "note", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "done",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("was_sent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_ticketing_errands_done_has_a_time")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_ticketing_errands_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticketing_errands_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticketing_errands")),
        sa.UniqueConstraint("key", name=op.f("uq_ticketing_errands_key")),
    )
    op.create_index(
        "ix_ticketing_errands_due",
        "ticketing_errands",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index("ix_ticketing_errands_ticket_id", "ticketing_errands", ["ticket_id"], unique=False)
    op.create_index(
        "uq_ticketing_errands_create",
        "ticketing_errands",
        ["ticket_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'create' AND state <> 'cancelled'"),
    )
    op.create_table(
        "remark_job_runs",
        sa.Column("remark_id", sa.BigInteger(), nullable=False),
        sa.Column("job_run_id", sa.BigInteger(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_run_id"], ["job_runs.id"], name=op.f("fk_remark_job_runs_job_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["remark_id"], ["remarks.id"], name=op.f("fk_remark_job_runs_remark_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("remark_id", "job_run_id", name=op.f("pk_remark_job_runs")),
    )
    op.create_index("ix_remark_job_runs_job_run_id", "remark_job_runs", ["job_run_id"], unique=False)
    op.create_table(
        "ticket_job_runs",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("job_run_id", sa.BigInteger(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_run_id"], ["job_runs.id"], name=op.f("fk_ticket_job_runs_job_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_job_runs_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", "job_run_id", name=op.f("pk_ticket_job_runs")),
    )
    op.create_index("ix_ticket_job_runs_job_run_id", "ticket_job_runs", ["job_run_id"], unique=False)
    _map_customers()
    op.add_column("job_runs", sa.Column("override_id", sa.BigInteger(), nullable=True))
    op.add_column("job_runs", sa.Column("overridden_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_runs", sa.Column("autotask_ticket_id", sa.String(), nullable=True))
    op.add_column("job_runs", sa.Column("autotask_ticket_number", sa.String(), server_default="", nullable=False))
    op.add_column("job_runs", sa.Column("autotask_ticket_created_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_runs", sa.Column("autotask_ticket_created_by_user_id", sa.BigInteger(), nullable=True))
    op.add_column("job_runs", sa.Column("autotask_ticket_deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_job_runs_autotask_ticket_id",
        "job_runs",
        ["autotask_ticket_id"],
        unique=False,
        postgresql_where=sa.text("autotask_ticket_id IS NOT NULL"),
    )
    op.create_index(
        "ix_job_runs_autotask_open",
        "job_runs",
        ["job_id"],
        unique=False,
        postgresql_where=sa.text("autotask_ticket_id IS NOT NULL AND autotask_ticket_deleted_at IS NULL"),
    )
    op.create_index(
        "ix_job_runs_override_id",
        "job_runs",
        ["override_id"],
        unique=False,
        postgresql_where=sa.text("override_id IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_job_runs_override_id"), "job_runs", "overrides", ["override_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_job_runs_autotask_ticket_created_by_user_id"),
        "job_runs",
        "users",
        ["autotask_ticket_created_by_user_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_check_constraint(
        op.f("ck_job_runs_overridden_is_paired"), "job_runs", "(override_id IS NULL) = (overridden_at IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_job_runs_ticket_is_whole"),
        "job_runs",
        "(autotask_ticket_id IS NULL) = (autotask_ticket_created_at IS NULL)",
    )
    _widen_settings_and_alarms()
    op.execute("INSERT INTO ticketing_settings DEFAULT VALUES")
    op.execute("INSERT INTO ticketing_state DEFAULT VALUES")


def _map_customers() -> None:
    op.add_column("customers", sa.Column("autotask_company_id", sa.String(), nullable=True))
    op.add_column("customers", sa.Column("autotask_company_name", sa.String(), nullable=True))
    op.add_column("customers", sa.Column("autotask_company_renamed_to", sa.String(), nullable=True))
    op.add_column(
        "customers",
        sa.Column(
            "autotask_mapping",
            sa.Enum(
                "ok",
                "renamed",
                "missing",
                "invalid",
                name="autotask_mapping",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
    )
    op.add_column("customers", sa.Column("autotask_checked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f("uq_customers_autotask_company_id"), "customers", ["autotask_company_id"])
    op.create_check_constraint(
        op.f("ck_customers_mapping_is_whole"),
        "customers",
        "num_nonnulls(autotask_company_id, autotask_company_name, autotask_mapping) IN (0, 3)",
    )
    op.create_check_constraint(
        op.f("ck_customers_renamed_has_a_name"),
        "customers",
        "coalesce(autotask_mapping = 'renamed', false) = (autotask_company_renamed_to IS NOT NULL)",
    )


def _widen_settings_and_alarms() -> None:
    op.add_column(
        "system_settings", sa.Column("is_sandbox", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.drop_constraint(op.f("ck_alarms_kind"), "alarms")
    op.create_check_constraint(
        op.f("ck_alarms_kind"),
        "alarms",
        "kind IN ('not_read', 'backlog', 'dead_letters', 'timer_stale', 'subscription', 'ticketing')",
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
