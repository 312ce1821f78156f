"""Why what has a ticket's id over there is not this ticket

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    mismatch = sa.Enum("number", "company", name="remote_mismatch", native_enum=False, length=32)
    op.add_column("tickets", sa.Column("remote_mismatch", mismatch, nullable=True))
    op.create_check_constraint(
        op.f("ck_tickets_remote_mismatch"), "tickets", sa.text("remote_mismatch IN ('number', 'company')")
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
