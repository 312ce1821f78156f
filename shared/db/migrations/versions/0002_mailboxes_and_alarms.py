"""Mailboxes, queues and the watcher's own health

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm_targets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("webhook", "teams", "dead_man", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name = btrim(name) AND name <> ''", name=op.f("ck_alarm_targets_name_is_tidy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_targets")),
        sa.UniqueConstraint("name", name=op.f("uq_alarm_targets_name")),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "not_read",
                "backlog",
                "dead_letters",
                "timer_stale",
                "subscription",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(), server_default="", nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calm_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("closed_at >= opened_at", name=op.f("ck_alarms_closes_after_it_opens")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_index("ix_alarms_opened_at", "alarms", [sa.literal_column("opened_at DESC")], unique=False)
    op.create_index(
        "uq_alarms_open", "alarms", ["kind", "subject"], unique=True, postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("healed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("every_seconds > 0", name=op.f("ck_heartbeats_runs_at_intervals")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("throttled_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gap_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_notification_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("needs_person", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(last_error = '') = (last_error_at IS NULL)", name=op.f("ck_mailboxes_error_has_a_time")),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name=op.f("ck_mailboxes_lease_is_paired")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("address", name=op.f("uq_mailboxes_address")),
    )
    op.create_table(
        "alarm_deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alarm_id", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("tells_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms.id"], name=op.f("fk_alarm_deliveries_alarm_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["alarm_targets.id"], name=op.f("fk_alarm_deliveries_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_deliveries")),
        sa.UniqueConstraint(
            "alarm_id", "target_id", "tells_end", name=op.f("uq_alarm_deliveries_alarm_id_target_id_tells_end")
        ),
    )
    op.create_index(
        "ix_alarm_deliveries_waiting",
        "alarm_deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NULL AND attempts < 10"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_as", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("settled_as IN ('retried', 'discarded')", name=op.f("ck_dead_letters_settled_as")),
        sa.CheckConstraint(
            "num_nonnulls(settled_at, settled_by, settled_as) IN (0, 3)", name=op.f("ck_dead_letters_settled_is_whole")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["users.id"], name=op.f("fk_dead_letters_settled_by"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("queue", "message_id", name=op.f("uq_dead_letters_queue_message_id")),
    )
    op.create_index(
        "ix_dead_letters_open",
        "dead_letters",
        [sa.literal_column("died_at DESC")],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "watch",
        sa.Column("id", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(), server_default="", nullable=False),
        sa.Column("import_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("import_on_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_watch_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
    )
    op.execute("INSERT INTO watch DEFAULT VALUES")
    op.create_table(
        "mail_arrivals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("graph_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column(
            "mime",
            sa.Enum(
                "unasked",
                "wanted",
                "fetched",
                "gone",
                name="mime",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="unasked",
            nullable=False,
        ),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("(mime = 'fetched') = (raw IS NOT NULL)", name=op.f("ck_mail_arrivals_fetched_is_there")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_mail_arrivals_attempts_are_counted")),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mail_arrivals_mailbox_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_arrivals")),
        sa.UniqueConstraint("graph_id", name=op.f("uq_mail_arrivals_graph_id")),
    )
    op.create_index(
        "ix_mail_arrivals_mailbox_id_received_at", "mail_arrivals", ["mailbox_id", "received_at"], unique=False
    )
    op.create_index(
        "ix_mail_arrivals_wanted", "mail_arrivals", ["id"], unique=False, postgresql_where=sa.text("mime = 'wanted'")
    )
    op.create_table(
        "mail_folders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("graph_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resyncs", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mail_folders_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_folders")),
        sa.UniqueConstraint("mailbox_id", "graph_id", name=op.f("uq_mail_folders_mailbox_id_graph_id")),
    )
    op.create_table(
        "graph_subscriptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "refused",
                "removed",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state <> 'active' OR subscription_id IS NOT NULL", name=op.f("ck_graph_subscriptions_active_has_an_id")
        ),
        sa.CheckConstraint(
            "(subscription_id IS NULL) = (expires_at IS NULL)", name=op.f("ck_graph_subscriptions_expiry_is_paired")
        ),
        sa.ForeignKeyConstraint(
            ["folder_id"], ["mail_folders.id"], name=op.f("fk_graph_subscriptions_folder_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_graph_subscriptions")),
        sa.UniqueConstraint("folder_id", name=op.f("uq_graph_subscriptions_folder_id")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_graph_subscriptions_subscription_id")),
    )
    op.create_table(
        "mail_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mail_id", sa.BigInteger(), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("graph_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "done", "given_up", name="state", native_enum=False, create_constraint=True, length=32),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_mail_moves_settled_has_a_time")),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail_messages.id"], name=op.f("fk_mail_moves_mail_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mail_moves_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_moves")),
        sa.UniqueConstraint("mail_id", name=op.f("uq_mail_moves_mail_id")),
    )
    op.create_index(
        "ix_mail_moves_given_up",
        "mail_moves",
        ["mailbox_id"],
        unique=False,
        postgresql_where=sa.text("state = 'given_up'"),
    )
    op.create_index(
        "ix_mail_moves_waiting",
        "mail_moves",
        ["mailbox_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.add_column("import_cycles", sa.Column("mailbox_id", sa.BigInteger(), nullable=True))
    op.add_column("import_cycles", sa.Column("request_id", sa.String(), nullable=True))
    op.add_column("import_cycles", sa.Column("error", sa.String(), server_default="", nullable=False))
    op.create_index(
        "ix_import_cycles_mailbox_id_started_at",
        "import_cycles",
        ["mailbox_id", sa.literal_column("started_at DESC")],
        unique=False,
    )
    op.create_unique_constraint(op.f("uq_import_cycles_request_id"), "import_cycles", ["request_id"])
    op.create_foreign_key(
        op.f("fk_import_cycles_mailbox_id"), "import_cycles", "mailboxes", ["mailbox_id"], ["id"], ondelete="CASCADE"
    )
    op.add_column(
        "system_settings", sa.Column("move_processed", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("processed_folder", sa.String(), server_default="Backupchecks", nullable=False)
    )
    op.add_column(
        "system_settings", sa.Column("mail_lookback_days", sa.Integer(), server_default=sa.text("30"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_system_settings_lookback_in_range"), "system_settings", "mail_lookback_days BETWEEN 1 AND 365"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
