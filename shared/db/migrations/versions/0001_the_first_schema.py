"""The first schema

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name = btrim(name) AND name <> ''", name=op.f("ck_customers_name_is_tidy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index("uq_customers_name", "customers", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "import_cycles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "graph", "folder", "upload", "api", name="source", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_cycles")),
    )
    op.create_index(
        "ix_import_cycles_source_started_at",
        "import_cycles",
        ["source", sa.literal_column("started_at DESC")],
        unique=False,
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    op.create_index("ix_login_attempts_address_at", "login_attempts", ["address", "at"], unique=False)
    op.create_index("ix_login_attempts_at", "login_attempts", ["at"], unique=False)
    op.create_index("ix_login_attempts_name_hash_at", "login_attempts", ["name_hash", "at"], unique=False)
    op.create_table(
        "system_settings",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("ui_time_zone", sa.String(), server_default="Europe/Amsterdam", nullable=False),
        sa.Column("import_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("import_interval_minutes", sa.Integer(), server_default=sa.text("15"), nullable=False),
        sa.Column("import_batch", sa.Integer(), server_default=sa.text("200"), nullable=False),
        sa.Column("manual_batch", sa.Integer(), server_default=sa.text("50"), nullable=False),
        sa.Column("raw_days", sa.Integer(), server_default=sa.text("90"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_system_settings_only_one")),
        sa.CheckConstraint(
            "import_batch BETWEEN 1 AND 10000 AND manual_batch BETWEEN 1 AND 10000",
            name=op.f("ck_system_settings_batch_in_range"),
        ),
        sa.CheckConstraint(
            "import_interval_minutes BETWEEN 1 AND 60", name=op.f("ck_system_settings_interval_in_range")
        ),
        sa.CheckConstraint("raw_days BETWEEN 0 AND 3650", name=op.f("ck_system_settings_raw_days_in_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_settings")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), server_default="", nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column(
            "roles",
            postgresql.ARRAY(
                sa.Enum("admin", "operator", "viewer", "reporter", name="role", native_enum=False, length=32)
            ),
            nullable=False,
        ),
        sa.Column(
            "last_active_role",
            sa.Enum(
                "admin",
                "operator",
                "viewer",
                "reporter",
                name="last_active_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "theme",
            sa.Enum("auto", "light", "dark", name="theme", native_enum=False, create_constraint=True, length=32),
            server_default="auto",
            nullable=False,
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "roles::text[] <@ ARRAY['admin', 'operator', 'viewer', 'reporter'] AND cardinality(roles) > 0",
            name=op.f("ck_users_roles_are_known"),
        ),
        sa.CheckConstraint("username = btrim(username) AND username <> ''", name=op.f("ck_users_username_is_tidy")),
        sa.CheckConstraint(
            "last_active_role::text = ANY (roles::text[])", name=op.f("ck_users_last_active_role_is_own")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_username", "users", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_log_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"], unique=False)
    op.create_index("ix_audit_log_subject_type_subject_id", "audit_log", ["subject_type", "subject_id"], unique=False)
    op.create_index("ix_audit_log_user_id", "audit_log", ["user_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("backup_software", sa.String(), nullable=False),
        sa.Column("backup_type", sa.String(), nullable=False),
        sa.Column("job_name", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "regular",
                "informational",
                "event",
                "alert_only",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(archived_at IS NULL) = (archived_by IS NULL)", name=op.f("ck_jobs_archived_is_paired")),
        sa.ForeignKeyConstraint(["archived_by"], ["users.id"], name=op.f("fk_jobs_archived_by"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_jobs_created_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_jobs_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_customer_id", "jobs", ["customer_id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("ck_reviews_undone_is_paired")),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["users.id"], name=op.f("fk_reviews_reviewed_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["undone_by"], ["users.id"], name=op.f("fk_reviews_undone_by"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_reviewed_at", "reviews", ["reviewed_at"], unique=False)
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "active_role",
            sa.Enum(
                "admin",
                "operator",
                "viewer",
                "reporter",
                name="active_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("csrf_secret", sa.String(), nullable=False),
        sa.Column("address", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_web_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    op.create_index("ix_web_sessions_expires_at", "web_sessions", ["expires_at"], unique=False)
    op.create_index("ix_web_sessions_user_id", "web_sessions", ["user_id"], unique=False)
    op.create_table(
        "job_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("from_address", sa.String(), nullable=False),
        sa.Column("backup_software", sa.String(), nullable=False),
        sa.Column("backup_type", sa.String(), nullable=False),
        sa.Column("job_name", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), server_default="", nullable=False),
        sa.Column("origin_shown", sa.String(), server_default="", nullable=False),
        sa.Column(
            "standing",
            sa.Enum(
                "plain", "vouched", "contested", name="standing", native_enum=False, create_constraint=True, length=32
            ),
            server_default="plain",
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_keys_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_keys")),
        sa.UniqueConstraint(
            "from_address", "backup_software", "backup_type", "job_name", "origin", name="uq_job_keys_key"
        ),
    )
    op.create_index("ix_job_keys_job_id", "job_keys", ["job_id"], unique=False)
    op.create_table(
        "mail_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "graph", "folder", "upload", "api", name="source", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("graph_id", sa.String(), nullable=True),
        sa.Column("file_key", sa.LargeBinary(), nullable=True),
        sa.Column("file_name", sa.String(), server_default="", nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("message_id_seen_before", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("report_hash", sa.LargeBinary(), nullable=True),
        sa.Column("duplicate_of_id", sa.BigInteger(), nullable=True),
        sa.Column("duplicate_undone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("from_address", sa.String(), server_default="", nullable=False),
        sa.Column("from_name", sa.String(), server_default="", nullable=False),
        sa.Column("subject", sa.String(), server_default="", nullable=False),
        sa.Column("text_body", sa.String(), server_default="", nullable=False),
        sa.Column("html_body", sa.String(), server_default="", nullable=False),
        sa.Column(
            "attachments", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("truncated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_source", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "location",
            sa.Enum(
                "inbox", "processed", "deleted", name="location", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by", sa.BigInteger(), nullable=True),
        sa.Column("delete_reason", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (location <> 'deleted')", name=op.f("ck_mail_messages_deleted_has_a_time")
        ),
        sa.CheckConstraint("duplicate_of_id <> id", name=op.f("ck_mail_messages_not_its_own_duplicate")),
        sa.CheckConstraint("num_nonnulls(graph_id, file_key) = 1", name=op.f("ck_mail_messages_one_delivery_id")),
        sa.ForeignKeyConstraint(
            ["deleted_by"], ["users.id"], name=op.f("fk_mail_messages_deleted_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_of_id"],
            ["mail_messages.id"],
            name=op.f("fk_mail_messages_duplicate_of_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_mail_messages_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_messages")),
        sa.UniqueConstraint("file_key", name=op.f("uq_mail_messages_file_key")),
        sa.UniqueConstraint("graph_id", name=op.f("uq_mail_messages_graph_id")),
    )
    op.create_index(
        "ix_mail_messages_deleted",
        "mail_messages",
        [sa.literal_column("deleted_at DESC")],
        unique=False,
        postgresql_where=sa.text("location = 'deleted'"),
    )
    op.create_index(
        "ix_mail_messages_duplicate_of_id",
        "mail_messages",
        ["duplicate_of_id"],
        unique=False,
        postgresql_where=sa.text("duplicate_of_id IS NOT NULL"),
    )
    op.create_index("ix_mail_messages_imported_at", "mail_messages", ["imported_at"], unique=False)
    op.create_index(
        "ix_mail_messages_inbox",
        "mail_messages",
        [sa.literal_column("received_at DESC")],
        unique=False,
        postgresql_where=sa.text("location = 'inbox'"),
    )
    op.create_index("ix_mail_messages_job_id", "mail_messages", ["job_id"], unique=False)
    op.create_index(
        "ix_mail_messages_message_id",
        "mail_messages",
        ["message_id"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "uq_mail_messages_report_hash",
        "mail_messages",
        ["report_hash"],
        unique=True,
        postgresql_where=sa.text("duplicate_of_id IS NULL AND NOT duplicate_undone"),
    )
    op.create_table(
        "mail_raw",
        sa.Column("mail_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail_messages.id"], name=op.f("fk_mail_raw_mail_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mail_raw")),
    )
    op.create_table(
        "mail_readings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mail_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "run",
                "inbox",
                "duplicate",
                "ignored",
                "archived",
                "dismissed",
                "event",
                "quarantined",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "inbox_reason",
            sa.Enum(
                "new_job",
                "unreadable",
                "unrecognised",
                "ambiguous",
                name="inbox_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("could_be", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("from_address_key", sa.String(), server_default="", nullable=False),
        sa.Column("parser", sa.String(), nullable=True),
        sa.Column("backup_software", sa.String(), nullable=True),
        sa.Column("backup_type", sa.String(), nullable=True),
        sa.Column("job_name", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "regular",
                "informational",
                "event",
                "alert_only",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
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
        sa.Column("message", sa.String(), server_default="", nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("objects_complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", sa.String(), nullable=True),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(dismissed_at IS NULL) = (outcome <> 'dismissed')", name=op.f("ck_mail_readings_dismissed_has_a_time")
        ),
        sa.CheckConstraint(
            "(outcome = 'inbox') = (inbox_reason IS NOT NULL)", name=op.f("ck_mail_readings_inbox_has_a_reason")
        ),
        sa.CheckConstraint("outcome <> 'event' OR status IS NOT NULL", name=op.f("ck_mail_readings_an_event_was_read")),
        sa.ForeignKeyConstraint(
            ["dismissed_by"], ["users.id"], name=op.f("fk_mail_readings_dismissed_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_mail_readings_job_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail_messages.id"], name=op.f("fk_mail_readings_mail_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_readings")),
        sa.UniqueConstraint("mail_id", "number", name=op.f("uq_mail_readings_mail_id_number")),
    )
    op.create_index("ix_mail_readings_job_id", "mail_readings", ["job_id"], unique=False)
    op.create_index(
        "ix_mail_readings_quarantined",
        "mail_readings",
        ["mail_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'quarantined'"),
    )
    op.create_index(
        "ix_mail_readings_waiting",
        "mail_readings",
        ["from_address_key"],
        unique=False,
        postgresql_where=sa.text("outcome = 'inbox'"),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "mail",
                "pushed",
                "missed",
                "overdue",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reading_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "matched_by",
            sa.Enum(
                "origin", "name", "person", name="matched_by", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "raw_status",
            sa.Enum(
                "success",
                "informational",
                "warning",
                "failed",
                "unreadable",
                "missed",
                "overdue",
                name="raw_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
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
            nullable=False,
        ),
        sa.Column("message", sa.String(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("verdict_version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=True),
        sa.Column("review_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(source = 'mail') = (matched_by IS NOT NULL)", name=op.f("ck_job_runs_mail_runs_are_matched")
        ),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (review_id IS NULL)",
            name=op.f("ck_job_runs_reviewed_is_paired"),
        ),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_job_runs_size_is_positive")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_runs_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["mail_readings.id"], name=op.f("fk_job_runs_reading_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_job_runs_review_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["users.id"], name=op.f("fk_job_runs_reviewed_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("reading_id", name=op.f("uq_job_runs_reading_id")),
    )
    op.create_index(
        "ix_job_runs_job_id_run_at",
        "job_runs",
        ["job_id", sa.literal_column("run_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_job_runs_last_good",
        "job_runs",
        ["job_id", sa.literal_column("run_at DESC")],
        unique=False,
        postgresql_where=sa.text("raw_status IN ('success', 'warning')"),
    )
    op.create_index(
        "ix_job_runs_review_id",
        "job_runs",
        ["review_id"],
        unique=False,
        postgresql_where=sa.text("review_id IS NOT NULL"),
    )
    op.create_index(
        "ix_job_runs_unreviewed", "job_runs", ["job_id"], unique=False, postgresql_where=sa.text("reviewed_at IS NULL")
    )
    op.create_table(
        "mail_objects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reading_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), server_default="", nullable=False),
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
            nullable=False,
        ),
        sa.Column("message", sa.String(), server_default="", nullable=False),
        sa.Column("recovered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["mail_readings.id"], name=op.f("fk_mail_objects_reading_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_objects")),
        sa.UniqueConstraint("reading_id", "number", name=op.f("uq_mail_objects_reading_id_number")),
    )
    op.create_table(
        "vanished_objects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by IS NULL)", name=op.f("ck_vanished_objects_confirmed_is_paired")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_vanished_objects_confirmed_by"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name=op.f("fk_vanished_objects_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vanished_objects")),
        sa.UniqueConstraint("run_id", "name", "type", name=op.f("uq_vanished_objects_run_id_name_type")),
    )
    op.execute("INSERT INTO system_settings DEFAULT VALUES")


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
