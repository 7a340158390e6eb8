"""Jobs: runs that carry their own command, and are found by name and by tag; and who asked for a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TICK = sa.text("scheduled_at IS NOT NULL")
_OPEN = sa.text("end_reason IS NULL")
_ENDED = sa.text("end_reason IS NOT NULL")
_NAMED = sa.text("name IS NOT NULL")

_BEFORE = """\
id kind task_name status end_reason exit_code signal triggered_by params created_at scheduled_at
start_at end_at duration retry_attempt retry_of_run_id instance_index pid cpu_time max_rss message
node attempt keeper_id boot_id
""".split()


def upgrade() -> None:
    """Make the table of runs anew: SQLite cannot add a rule to one, nor let a column be empty."""
    for index in ("one_per_tick", "by_task", "open", "by_end", "by_task_and_end", "by_trigger"):
        op.drop_index(f"runs_{index}", "runs")
    op.rename_table("runs", "runs_before")
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("task_name", sa.Text),
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
        sa.Column("name", sa.Text),
        sa.Column("command", sa.Text),
        sa.Column("cwd", sa.Text),
        sa.Column("tags", sa.Text),
        sa.Column("timeout", sa.BigInteger),
        sa.Column("stdin", sa.Text),
        sa.Column("pty", sa.Integer),
        sa.Column("sealed", sa.Text),
        sa.Column("actor_kind", sa.Text),
        sa.Column("actor_name", sa.Text),
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
        sa.CheckConstraint("stdin IN ('none', 'pipe')", name=op.f("runs_stdin_is_known")),
        sa.CheckConstraint("actor_kind IN ('user', 'mcp')", name=op.f("runs_actor_kind_is_known")),
        sa.CheckConstraint(
            "(kind = 'job') = (task_name IS NULL) AND (kind = 'job') = (command IS NOT NULL)"
            " AND (kind = 'job') = (cwd IS NOT NULL) AND (kind = 'job') = (stdin IS NOT NULL)"
            " AND (kind = 'job') = (pty IS NOT NULL)",
            name=op.f("runs_job_is_whole"),
        ),
        sa.CheckConstraint(
            "kind = 'job' OR (name IS NULL AND tags IS NULL AND timeout IS NULL)",
            name=op.f("runs_only_a_job_defines_itself"),
        ),
        sa.CheckConstraint("status <> 'ended' OR sealed IS NULL", name=op.f("runs_end_leaves_no_secret")),
        sa.CheckConstraint("(actor_kind IS NULL) = (actor_name IS NULL)", name=op.f("runs_actor_is_whole")),
    )
    before = sa.table("runs_before", *(sa.column(name) for name in _BEFORE))
    after = sa.table("runs", *(sa.column(name) for name in _BEFORE))
    op.execute(sa.insert(after).from_select(_BEFORE, sa.select(before).order_by(before.c.id)))
    op.drop_table("runs_before")
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
        ["end_reason", "id", "triggered_by", "kind"],
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
    op.create_index("runs_by_kind", "runs", ["kind", "id", "triggered_by"])
    op.create_index("runs_by_name", "runs", ["name", "id"], sqlite_where=_NAMED, postgresql_where=_NAMED)
    op.create_table(
        "tags",
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tag", "run_id", name=op.f("tags_key")),
        sqlite_with_rowid=False,
    )
