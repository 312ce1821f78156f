"""When a ticket was reopened and whose it is over there, and how often an errand's answer was lost

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tickets", sa.Column("remote_company_id", sa.String(), nullable=True))
    op.add_column(
        "ticketing_errands", sa.Column("times_lost", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
