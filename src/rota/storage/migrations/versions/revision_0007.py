"""Pauses of tasks, groups and everything; and runs that were asked for in one, and started all the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TRIGGERED_BY = (
    "cron", "api", "ui", "cli", "tui", "mcp", "webhook", "startup", "catch_up", "retry", "upstream",
    "service", "subscription",
)  # fmt: skip


def _is_one_of(column: str, *members: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{member}'" for member in members)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"pauses_{column}_is_known"))


def upgrade() -> None:
    """Add them."""
    op.execute("ALTER TABLE runs ADD COLUMN despite_pause TEXT")
    op.create_table(
        "pauses",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("actor_kind", sa.Text),
        sa.Column("actor_name", sa.Text),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("resumed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pauses_key")),
        _is_one_of("kind", "task", "group", "all"),
        _is_one_of("actor_kind", "user", "mcp"),
        _is_one_of("via", *_TRIGGERED_BY),
        sa.CheckConstraint("(kind = 'all') = (name = '')", name=op.f("pauses_all_has_no_name")),
        sa.CheckConstraint("(actor_kind IS NULL) = (actor_name IS NULL)", name=op.f("pauses_actor_is_whole")),
        sqlite_with_rowid=False,
    )
