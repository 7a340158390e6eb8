"""The first tables: runs, requests, tasks, meta."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TICK = sa.text("scheduled_at IS NOT NULL")
_OPEN = sa.text("end_reason IS NULL")
_ENDED = sa.text("end_reason IS NOT NULL")


def upgrade() -> None:
    """Make them. What stands here is history: it never imports today's words."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("task_name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("end_reason", sa.Text),
        sa.Column("exit_code", sa.Integer),
        sa.Column("signal", sa.Text),
        sa.Column("triggered_by", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("scheduled_at", sa.BigInteger),
        sa.Column("start_at", sa.BigInteger),
        sa.Column("end_at", sa.BigInteger),
        sa.Column("duration", sa.BigInteger),
        sa.Column("retry_attempt", sa.Integer, nullable=False),
        sa.Column("retry_of_run_id", sa.Text),
        sa.Column("instance_index", sa.Integer),
        sa.Column("pid", sa.Integer),
        sa.Column("cpu_time", sa.BigInteger),
        sa.Column("max_rss", sa.BigInteger),
        sa.Column("message", sa.Text),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("attempt", sa.Text),
        sa.Column("keeper_id", sa.Text),
        sa.Column("boot_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("runs_key")),
        sa.CheckConstraint("kind IN ('task', 'service', 'job')", name=op.f("runs_kind_is_known")),
        sa.CheckConstraint("status IN ('pending', 'running', 'ended')", name=op.f("runs_status_is_known")),
        sa.CheckConstraint(
            "end_reason IN ('success', 'failed', 'timeout', 'stopped', 'skipped', 'queue_full',"
            " 'missed', 'start_failed', 'log_overflow', 'lost')",
            name=op.f("runs_end_reason_is_known"),
        ),
        sa.CheckConstraint(
            "triggered_by IN ('cron', 'api', 'ui', 'cli', 'tui', 'mcp', 'webhook', 'startup', 'catch_up',"
            " 'retry', 'upstream', 'service', 'subscription')",
            name=op.f("runs_triggered_by_is_known"),
        ),
        sa.CheckConstraint(
            "(status = 'ended') = (end_reason IS NOT NULL)", name=op.f("runs_end_reason_is_of_an_end")
        ),
        sa.CheckConstraint(
            "(status = 'ended') = (end_at IS NOT NULL)", name=op.f("runs_end_at_is_of_an_end")
        ),
        sa.CheckConstraint(
            "status <> 'pending' OR (start_at IS NULL AND pid IS NULL)",
            name=op.f("runs_pending_has_no_process"),
        ),
        sa.CheckConstraint(
            "status <> 'running' OR (start_at IS NOT NULL AND pid IS NOT NULL)",
            name=op.f("runs_running_has_a_process"),
        ),
        sa.CheckConstraint(
            "status = 'ended' OR (exit_code IS NULL AND signal IS NULL AND duration IS NULL"
            " AND cpu_time IS NULL AND max_rss IS NULL)",
            name=op.f("runs_only_an_end_is_measured"),
        ),
        sa.CheckConstraint("exit_code IS NULL OR signal IS NULL", name=op.f("runs_exited_or_was_signalled")),
        sa.CheckConstraint(
            "(attempt IS NULL) = (keeper_id IS NULL) AND (attempt IS NULL) = (boot_id IS NULL)",
            name=op.f("runs_hand_over_is_whole"),
        ),
        sa.CheckConstraint("retry_attempt >= 0", name=op.f("runs_retry_attempt_counts_from_0")),
        sa.CheckConstraint("instance_index >= 0", name=op.f("runs_instance_index_counts_from_0")),
    )
    op.create_index(
        "runs_one_per_tick",
        "runs",
        ["task_name", "scheduled_at"],
        unique=True,
        sqlite_where=_TICK,
        postgresql_where=_TICK,
    )
    op.create_index("runs_by_task", "runs", ["task_name", "id", "triggered_by"])
    op.create_index("runs_open", "runs", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "runs_by_end",
        "runs",
        ["end_reason", "id", "triggered_by"],
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )
    op.create_index(
        "runs_by_task_and_end",
        "runs",
        ["task_name", "end_reason", "id", "triggered_by"],
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )
    op.create_index("runs_by_trigger", "runs", ["triggered_by", "id"])

    op.create_table(
        "requests",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("status_code", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("requests_key")),
    )
    op.create_index("requests_by_age", "requests", ["at"])

    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("schedule_since", sa.BigInteger, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tasks_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_by_name", "tasks", ["name"], unique=True)

    op.create_table(
        "meta",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("meta_key")),
    )


def downgrade() -> None:
    """There is nothing before the first tables."""
    raise NotImplementedError("an older Rota is served by a backup of the data folder, not by a downgrade")
