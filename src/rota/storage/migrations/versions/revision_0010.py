"""What an end was, a failure or not; the attempt that follows it, and the tasks that come after its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = (
    (
        "is_failure INTEGER CONSTRAINT runs_an_end_is_judged"
        " CHECK (is_failure IS NULL OR (status = 'ended' AND is_failure IN (0, 1)))"
    ),
    "next_attempt_run_id TEXT",
    "upstream_run_id TEXT",
)


def upgrade() -> None:
    """Add them; by hand, since Alembic would write a million rows anew for a column's rule."""
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    op.create_table(
        "chains",
        sa.Column("task_name", sa.Text, nullable=False),
        sa.Column("upstream_name", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("task_name", "upstream_name", name="chains_key"),
        sqlite_with_rowid=False,
    )
    # Until now no task could say otherwise than this.
    op.execute(
        "UPDATE runs SET is_failure = CASE WHEN end_reason IN ('failed', 'timeout', 'start_failed',"
        " 'log_overflow', 'out_of_memory', 'lost', 'missed') THEN 1 ELSE 0 END WHERE end_reason IS NOT NULL"
    )
