"""The tables, as they stand after the last migration; a test holds the two together.

Times and durations are whole microseconds, times since the Unix epoch; a closed set is text with a CHECK.
Nothing here is SQLite's alone: PostgreSQL can hold the same tables. What its indexes leave out is said in the
migrations: said here, it would load SQLAlchemy's part for PostgreSQL into every server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from rota.model.pause import PauseKind
from rota.model.run import ActorKind, EndReason, Kind, Status, TriggeredBy
from rota.model.service import Rest
from rota.model.task import Stdin

if TYPE_CHECKING:
    from collections.abc import Iterable

REVISION = "0011"
"""The migration that these tables are the outcome of."""


def _is_one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    members = ", ".join(f"'{member}'" for member in allowed)
    return CheckConstraint(f"{column} IN ({members})", name=f"{column}_is_known")


METADATA = MetaData(
    naming_convention={"ck": "%(table_name)s_%(constraint_name)s", "pk": "%(table_name)s_key"},
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("task_name", Text),
    Column("status", Text, nullable=False),
    Column("end_reason", Text),
    Column("exit_code", Integer),
    Column("signal", Text),
    Column("triggered_by", Text, nullable=False),
    Column("params", Text, nullable=False),  # a JSON object
    Column("created_at", BigInteger, nullable=False),
    Column("scheduled_at", BigInteger),
    Column("start_at", BigInteger),
    Column("end_at", BigInteger),
    Column("duration", BigInteger),
    Column("retry_attempt", Integer, nullable=False),
    Column("retry_of_run_id", Text),
    Column("instance_index", Integer),
    Column("pid", Integer),
    Column("cpu_time", BigInteger),
    Column("max_rss", BigInteger),
    Column("message", Text),
    Column("node", Text, nullable=False),
    Column("attempt", Text),
    Column("keeper_id", Text),
    Column("boot_id", Text),
    Column("name", Text),
    Column("command", Text),  # a JSON string, or a list of strings
    Column("cwd", Text),
    Column("tags", Text),  # a JSON list of strings; null when there are none
    Column("timeout", BigInteger),
    Column("stdin", Text),
    Column("pty", Integer),
    Column("sealed", Text),  # of the vault; gone with the run's end
    Column("actor_kind", Text),
    Column("actor_name", Text),
    Column("due_at", BigInteger),
    Column("missed_ticks", Integer, CheckConstraint("missed_ticks > 0", name="missed_ticks_are_some")),
    Column(
        "missed_since",
        BigInteger,
        CheckConstraint(
            "(missed_ticks IS NULL) = (missed_since IS NULL)"
            " AND (missed_ticks IS NULL OR (scheduled_at IS NOT NULL AND end_reason = 'missed'))",
            name="a_gap_is_whole",
        ),
    ),
    Column("limits", Text),  # a JSON object; null for a run that has none, or has not started
    Column("env", Text),  # of a job: a JSON list of the names; null when there are none
    Column("rerun_of_run_id", Text),
    Column("despite_pause", Text),
    Column(
        "revision",
        Integer,
        CheckConstraint(
            "revision IS NULL OR (revision > 0 AND attempt IS NOT NULL)", name="revision_is_of_a_hand_over"
        ),
    ),
    Column(
        "is_failure",
        Integer,
        CheckConstraint(
            "is_failure IS NULL OR (status = 'ended' AND is_failure IN (0, 1))", name="an_end_is_judged"
        ),
    ),
    Column("next_attempt_run_id", Text),
    Column("upstream_run_id", Text),
    _is_one_of("kind", Kind),
    _is_one_of("status", Status),
    _is_one_of("end_reason", EndReason),
    _is_one_of("triggered_by", TriggeredBy),
    CheckConstraint("(status = 'ended') = (end_reason IS NOT NULL)", name="end_reason_is_of_an_end"),
    CheckConstraint("(status = 'ended') = (end_at IS NOT NULL)", name="end_at_is_of_an_end"),
    CheckConstraint(
        "status <> 'pending' OR (start_at IS NULL AND pid IS NULL)", name="pending_has_no_process"
    ),
    CheckConstraint(
        "status <> 'running' OR (start_at IS NOT NULL AND pid IS NOT NULL)", name="running_has_a_process"
    ),
    CheckConstraint(
        "status = 'ended' OR (exit_code IS NULL AND signal IS NULL AND duration IS NULL"
        " AND cpu_time IS NULL AND max_rss IS NULL)",
        name="only_an_end_is_measured",
    ),
    CheckConstraint("exit_code IS NULL OR signal IS NULL", name="exited_or_was_signalled"),
    CheckConstraint(
        "(attempt IS NULL) = (keeper_id IS NULL) AND (attempt IS NULL) = (boot_id IS NULL)",
        name="hand_over_is_whole",
    ),
    CheckConstraint("retry_attempt >= 0", name="retry_attempt_counts_from_0"),
    CheckConstraint("instance_index >= 0", name="instance_index_counts_from_0"),
    _is_one_of("stdin", Stdin),
    _is_one_of("actor_kind", ActorKind),
    CheckConstraint(
        "(kind = 'job') = (task_name IS NULL) AND (kind = 'job') = (command IS NOT NULL)"
        " AND (kind = 'job') = (cwd IS NOT NULL) AND (kind = 'job') = (stdin IS NOT NULL)"
        " AND (kind = 'job') = (pty IS NOT NULL)",
        name="job_is_whole",
    ),
    CheckConstraint(
        "kind = 'job' OR (name IS NULL AND tags IS NULL AND timeout IS NULL)",
        name="only_a_job_defines_itself",
    ),
    CheckConstraint("status <> 'ended' OR sealed IS NULL", name="end_leaves_no_secret"),
    CheckConstraint("(actor_kind IS NULL) = (actor_name IS NULL)", name="actor_is_whole"),
)

# What a list can be asked for, each in the order of ids, so that a page is read and nothing is sorted. What
# comes after the id is only looked at: rows that it excludes are passed by in the index.
# Every index costs each run a write: those on the end are written once, when it is known.
STILL_OPEN = RUNS.c.end_reason.is_(None)
"""As the index says it; were it said of `status`, each start would have to write the index anew."""

ONE_TICK = text("triggered_by IN ('cron', 'catch_up') AND missed_ticks IS NULL")
"""Runs that are the claim to a tick; not those that somebody asked for at the same moment."""

ONE_GAP = text("missed_ticks IS NOT NULL")
"""Runs that tell of a gap, beside those that its last ticks may get after all."""

_ENDED = RUNS.c.end_reason.is_not(None)
Index(
    "runs_one_per_tick",
    RUNS.c.task_name,
    RUNS.c.scheduled_at,
    unique=True,
    sqlite_where=ONE_TICK,
)
Index(
    "runs_one_per_gap",
    RUNS.c.task_name,
    RUNS.c.scheduled_at,
    unique=True,
    sqlite_where=ONE_GAP,
)
Index("runs_by_task", RUNS.c.task_name, RUNS.c.id, RUNS.c.triggered_by)
Index("runs_open", RUNS.c.id, sqlite_where=STILL_OPEN)
Index(
    "runs_by_end",
    RUNS.c.end_reason,
    RUNS.c.id,
    RUNS.c.triggered_by,
    RUNS.c.kind,
    RUNS.c.is_failure,
    sqlite_where=_ENDED,
)
Index(
    "runs_by_task_and_end",
    RUNS.c.task_name,
    RUNS.c.end_reason,
    RUNS.c.id,
    RUNS.c.triggered_by,
    RUNS.c.is_failure,
    sqlite_where=_ENDED,
)
Index("runs_by_trigger", RUNS.c.triggered_by, RUNS.c.id)
Index("runs_by_kind", RUNS.c.kind, RUNS.c.id, RUNS.c.triggered_by)
_NAMED = RUNS.c.name.is_not(None)
Index("runs_by_name", RUNS.c.name, RUNS.c.id, sqlite_where=_NAMED)

TAGS = Table(
    "tags",
    METADATA,
    Column("tag", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),  # which has this tag among its own
    sqlite_with_rowid=False,
)

REQUESTS = Table(
    "requests",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("status_code", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("requests_by_age", REQUESTS.c.at)

TASKS = Table(
    "tasks",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("schedule_since", BigInteger, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("0")),  # 0: it has had none
    Column("digest", Text),  # of that revision
    sqlite_autoincrement=True,  # as a sequence does: an id is never used again
)
Index("tasks_by_name", TASKS.c.name, unique=True)

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("name", Text, primary_key=True),  # of the task
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    Column("definition", Text, nullable=False),  # a JSON object
    CheckConstraint("number > 0", name="number_counts_from_1"),
    sqlite_with_rowid=False,
)

LOGS = Table(
    "logs",
    METADATA,
    Column("run_id", Text, primary_key=True),  # ended, and wrote something
    Column("size", BigInteger, nullable=False),  # bytes on the disk
    Column("removed_at", BigInteger),  # when it had to make room for others
    CheckConstraint("size > 0", name="size_is_of_a_log"),
    sqlite_with_rowid=False,
)

REMOVALS = Table(
    "removals",
    METADATA,
    Column("run_id", Text, primary_key=True),  # its files are to be removed; its row may be gone
    sqlite_with_rowid=False,
)

DELETED = Table(
    "deleted",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("run", Text, nullable=False),  # its row, as a JSON object of the columns that were not null
)
Index("deleted_by_age", DELETED.c.at)

WAITS = Table(
    "waits",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("wanted", Text, nullable=False),  # a JSON object
    Column("status", Text, nullable=False),
    Column("outcome", Text),  # a JSON object
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    CheckConstraint("status IN ('open', 'over', 'cancelled')", name="wait_status_is_known"),
    CheckConstraint("(status = 'over') = (outcome IS NOT NULL)", name="outcome_is_of_what_is_over"),
)
Index("waits_by_age", WAITS.c.created_at)

SERVICES = Table(
    "services",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("running", Integer, nullable=False),  # whether it is wanted
    Column("scale", Integer),  # so many instances, in the place of what the file says
    Column("stale", Text),  # a JSON list of the runs that a restart has yet to replace
    Column("rolling", Integer, nullable=False),  # whether it does so one at a time
    Column("declared", Integer, nullable=False),  # what the file said when this was written
    Column("fingerprint", Text, nullable=False),
    CheckConstraint("scale >= 1", name="scale_is_of_instances"),
)

INSTANCES = Table(
    "instances",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("instance_index", Integer, primary_key=True),
    Column("run_id", Text),  # its latest life that is counted in what follows
    Column("was_healthy", Integer, nullable=False),
    Column("ill_run_id", Text),  # the life that was asked to end for its health
    Column("failures", Integer, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("at_rest", Text),
    CheckConstraint("instance_index >= 0", name="instance_index_counts_from_0"),
    _is_one_of("at_rest", Rest),
    sqlite_with_rowid=False,
)

PAUSES = Table(
    "pauses",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),  # of a task or group; empty for everything
    Column("reason", Text),
    Column("actor_kind", Text),
    Column("actor_name", Text),
    Column("via", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("resumed_at", BigInteger),  # null while it lasts
    _is_one_of("kind", PauseKind),
    _is_one_of("actor_kind", ActorKind),
    _is_one_of("via", TriggeredBy),
    CheckConstraint("(kind = 'all') = (name = '')", name="all_has_no_name"),
    CheckConstraint("(actor_kind IS NULL) = (actor_name IS NULL)", name="actor_is_whole"),
    sqlite_with_rowid=False,
)

CHAINS = Table(
    "chains",
    METADATA,
    Column("task_name", Text, primary_key=True),
    Column("upstream_name", Text, primary_key=True),  # has ended well since the last run that came of it
    Column("run_id", Text, nullable=False),  # the newest of its runs that did
    sqlite_with_rowid=False,
)

META = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
