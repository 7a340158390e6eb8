"""Services: what is wanted of each, and what is remembered of their instances."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "services",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("running", sa.Integer, nullable=False),
        sa.Column("scale", sa.Integer),
        sa.Column("stale", sa.Text),
        sa.Column("rolling", sa.Integer, nullable=False),
        sa.Column("declared", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("services_key")),
        sa.CheckConstraint("scale >= 1", name=op.f("services_scale_is_of_instances")),
    )
    op.create_table(
        "instances",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("instance_index", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("was_healthy", sa.Integer, nullable=False),
        sa.Column("ill_run_id", sa.Text),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("at_rest", sa.Text),
        sa.PrimaryKeyConstraint("service", "instance_index", name=op.f("instances_key")),
        sa.CheckConstraint("instance_index >= 0", name=op.f("instances_instance_index_counts_from_0")),
        sa.CheckConstraint("at_rest IN ('done', 'gave_up')", name=op.f("instances_at_rest_is_known")),
        sqlite_with_rowid=False,
    )
