"""Revisions: the definitions that tasks have had, and under which of them each run was started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; the columns by hand, since Alembic would write a million rows anew for a column's rule."""
    op.execute(
        "ALTER TABLE runs ADD COLUMN revision INTEGER CONSTRAINT runs_revision_is_of_a_hand_over"
        " CHECK (revision IS NULL OR (revision > 0 AND attempt IS NOT NULL))"
    )
    op.execute("ALTER TABLE tasks ADD COLUMN revision INTEGER DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE tasks ADD COLUMN digest TEXT")
    op.create_table(
        "revisions",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "number", name=op.f("revisions_key")),
        sa.CheckConstraint("number > 0", name=op.f("revisions_number_counts_from_1")),
        sqlite_with_rowid=False,
    )
