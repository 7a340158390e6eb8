"""Failures are found in the indexes on ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ENDED = sa.text("end_reason IS NOT NULL")
_INDEXES = {
    "runs_by_end": ["end_reason", "id", "triggered_by", "kind", "is_failure"],
    "runs_by_task_and_end": ["task_name", "end_reason", "id", "triggered_by", "is_failure"],
}


def upgrade() -> None:
    """Make them anew."""
    for name, columns in _INDEXES.items():
        op.drop_index(name, "runs")
        op.create_index(name, "runs", columns, sqlite_where=_ENDED, postgresql_where=_ENDED)
