"""What is known of logs: how large each is, and the files that are to be removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "logs",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("run_id", name=op.f("logs_key")),
        sa.CheckConstraint("size > 0", name=op.f("logs_size_is_of_a_log")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "removals",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("removals_key")),
        sqlite_with_rowid=False,
    )
