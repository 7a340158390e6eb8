"""Runs that are due later than their tick or tell of a gap; and ticks that only their own runs claim."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    "due_at BIGINT",
    "missed_ticks INTEGER CONSTRAINT runs_missed_ticks_are_some CHECK (missed_ticks > 0)",
    (
        "missed_since BIGINT CONSTRAINT runs_a_gap_is_whole"
        " CHECK ((missed_ticks IS NULL) = (missed_since IS NULL)"
        " AND (missed_ticks IS NULL OR (scheduled_at IS NOT NULL AND end_reason = 'missed')))"
    ),
)
_ONE_TICK = sa.text("triggered_by IN ('cron', 'catch_up') AND missed_ticks IS NULL")
_ONE_GAP = sa.text("missed_ticks IS NOT NULL")


def upgrade() -> None:
    """Add them; by hand, since Alembic would write a million rows anew for a column's rule."""
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    op.drop_index("runs_one_per_tick", "runs")
    for name, where in (("runs_one_per_tick", _ONE_TICK), ("runs_one_per_gap", _ONE_GAP)):
        op.create_index(
            name,
            "runs",
            ["task_name", "scheduled_at"],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )
