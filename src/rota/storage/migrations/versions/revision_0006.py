"""Runs that have limits, jobs that say which variables they had, reruns, an end more; and deleted runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = ("limits TEXT", "env TEXT", "rerun_of_run_id TEXT")
_ENDS, _MORE_ENDS = "'log_overflow', 'lost'", "'log_overflow', 'out_of_memory', 'lost'"


def upgrade() -> None:
    """Add them; by hand, since Alembic would write a million rows anew for a column's rule."""
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE runs ADD COLUMN {column}")
    _allow_one_more_end()
    op.create_table(
        "deleted",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("deleted_key")),
    )
    op.create_index("deleted_by_age", "deleted", ["at"])


def _allow_one_more_end() -> None:
    """SQLite changes no rule of a table that stands; that it allows more is changed in its text alone.

    That is the way of its makers, under "Making Other Kinds Of Table Schema Changes" of
    https://www.sqlite.org/lang_altertable.html.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint("runs_end_reason_is_known", "runs")
        ends = (
            "'success', 'failed', 'timeout', 'stopped', 'skipped', 'queue_full', 'missed', 'start_failed', "
        )
        op.create_check_constraint("runs_end_reason_is_known", "runs", f"end_reason IN ({ends}{_MORE_ENDS})")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'runs'",
        (_ENDS, _MORE_ENDS),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
