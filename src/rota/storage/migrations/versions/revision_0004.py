"""Waits that are kept for those who asked for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "waits",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("wanted", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("waits_key")),
        sa.CheckConstraint(
            "status IN ('open', 'over', 'cancelled')", name=op.f("waits_wait_status_is_known")
        ),
        sa.CheckConstraint(
            "(status = 'over') = (outcome IS NOT NULL)", name=op.f("waits_outcome_is_of_what_is_over")
        ),
    )
    op.create_index("waits_by_age", "waits", ["created_at"])
