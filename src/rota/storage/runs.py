"""The statements on runs: create, move, and the reads that engine and surfaces ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, func, null, or_, select, update
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.run import Kind, Run, RunId, Status
from rota.storage import row
from rota.storage.microseconds import of_time, to_time
from rota.storage.schema import ONE_GAP, ONE_TICK, RUNS, STILL_OPEN, TAGS, TASKS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.storage.drift import Drift

LOOKED_AT = 2_000
"""Runs that are looked at for those that lived at a moment."""

_LIFE = ("status", "start_at", "pid", "message", "attempt", "keeper_id", "boot_id", "limits", "revision")
_END = (
    "status", "end_reason", "exit_code", "signal", "start_at", "end_at", "duration", "pid", "cpu_time",
    "max_rss", "message", "attempt", "keeper_id", "boot_id", "limits", "revision", "is_failure",
    "next_attempt_run_id",
)  # fmt: skip
_BEFORE = ("before_id", "before_status", "before_attempt", "before_node")

_CREATE, _CREATE_GAP = (
    Statement(
        insert(RUNS).on_conflict_do_nothing(
            index_elements=[RUNS.c.task_name, RUNS.c.scheduled_at], index_where=where
        ),
        RUNS.c.keys(),
    )
    for where in (ONE_TICK, ONE_GAP)
)


_GROWN = ("scheduled_at", "end_at", "missed_ticks", "missed_since")
_GROWN_AT = [RUNS.c.keys().index(column) for column in (*_GROWN, "id", "task_name", "scheduled_at")]
_another = RUNS.alias("another")
_GROW = Statement(
    update(RUNS)
    .values({column: bindparam(f"new_{column}") for column in _GROWN})
    .where(
        RUNS.c.id == bindparam("new_id"),
        RUNS.c.missed_ticks.is_not(None),
        ~exists().where(  # two runs at the same newest tick would be two of one gap
            _another.c.task_name == bindparam("of_task"),
            _another.c.scheduled_at == bindparam("at"),
            _another.c.missed_ticks.is_not(None),
            _another.c.id != RUNS.c.id,
        ),
    ),
    [*(f"new_{column}" for column in _GROWN), "new_id", "of_task", "at"],
)
_TOLD_UNTIL = select(
    TASKS.c.name,
    *(
        select(func.max(RUNS.c.scheduled_at))
        .where(RUNS.c.task_name == TASKS.c.name, where)
        .correlate(TASKS)
        .scalar_subquery()
        for where in (ONE_TICK, ONE_GAP)
    ),
)

_TAG = Statement(insert(TAGS), ["tag", "run_id"])


def _move(columns: tuple[str, ...], **fixed: ColumnElement[Any]) -> Statement:
    return Statement(
        update(RUNS)
        .values({column: bindparam(column) for column in columns} | fixed)
        .where(
            RUNS.c.id == bindparam("before_id"),
            RUNS.c.status == bindparam("before_status"),
            RUNS.c.attempt.is_not_distinct_from(bindparam("before_attempt")),
            RUNS.c.node == bindparam("before_node"),
        ),
        (*columns, *_BEFORE),
    )


_GO_ON = _move(_LIFE)
_END_IT = _move(_END, sealed=null())


def create(cursor: DBAPICursor, values: tuple[object, ...], *, gap: bool = False) -> bool:
    """Insert a run's row; False, and nothing changed, when its tick, or the gap that it tells of, has one."""
    return (_CREATE_GAP if gap else _CREATE).execute(cursor, values).rowcount == 1


def grow(cursor: DBAPICursor, values: tuple[object, ...]) -> bool:
    """Have a run that tells of a gap tell of more; False, and nothing changed, when it is not there."""
    return _GROW.execute(cursor, tuple(values[at] for at in _GROWN_AT)).rowcount == 1


def tag(cursor: DBAPICursor, run_id: RunId, tags: Iterable[str]) -> None:
    """Note the tags of a new run, by which it is found."""
    for each in tags:
        _TAG.execute(cursor, (each, run_id))


def move(cursor: DBAPICursor, before: Run, after: Run) -> bool:
    """Compare and set; False, and nothing changed, when the run is no longer as `before` says."""
    seen = (
        before.id,
        before.status.value,
        before.hand_over.attempt if before.hand_over is not None else None,
        before.node,
    )
    if after.status is Status.ENDED:
        return _END_IT.execute(cursor, row.of_end(after) + seen).rowcount == 1
    return _GO_ON.execute(cursor, row.of_life(after) + seen).rowcount == 1


_BY_IDS = select(*RUNS.c).where(RUNS.c.id.in_(bindparam("ids", expanding=True)))
_BY_ID = select(*RUNS.c).where(RUNS.c.id == bindparam("run_id"))
_OPEN = select(*RUNS.c).where(STILL_OPEN).order_by(RUNS.c.id)
_OF_TASK = (
    select(*RUNS.c)
    .where(RUNS.c.task_name == bindparam("task_name"))
    .order_by(RUNS.c.id.desc())
    .limit(bindparam("most"))
)

_newest_ids = select(RUNS.c.id).order_by(RUNS.c.id.desc()).limit(bindparam("within")).subquery()
_ENDING = (
    select(*RUNS.c)
    .where(RUNS.c.id.in_(select(_newest_ids.c.id).where(_newest_ids.c.id.like(bindparam("like")))))
    .order_by(RUNS.c.id.desc())
    .limit(bindparam("most"))
)

_TICKS, _GAPS = (
    select(*RUNS.c)
    .where(RUNS.c.task_name == bindparam("task_name"), where)
    .order_by(RUNS.c.scheduled_at.desc())
    .limit(bindparam("most"))
    for where in (ONE_TICK, ONE_GAP)
)

# Every task that has runs, by leaps through the index: a DISTINCT would read every entry of it.
_names = select(func.min(RUNS.c.task_name).label("name")).cte("names", recursive=True)
_names = _names.union_all(
    select(
        select(func.min(RUNS.c.task_name)).where(RUNS.c.task_name > _names.c.name).scalar_subquery()
    ).where(_names.c.name.is_not(None))
)
_newest = select(func.max(RUNS.c.id)).where(RUNS.c.task_name == _names.c.name).scalar_subquery()
_LATEST = select(*RUNS.c).where(RUNS.c.id.in_(select(_newest).select_from(_names)))


def one(connection: Connection, run_id: RunId) -> Run | None:
    """The run of this id."""
    found = connection.execute(_BY_ID, {"run_id": run_id}).first()
    return None if found is None else row.to_run(found)


def these(connection: Connection, run_ids: Sequence[RunId]) -> list[Run]:
    """Those of these runs that there are."""
    return _runs(connection.execute(_BY_IDS, {"ids": list(run_ids)}).all())


def ending_with(connection: Connection, ending: str, within: int, limit: int) -> list[Run]:
    """Of the newest so many runs, those whose ids end so, newest first."""
    asked = {"like": f"%{ending}", "within": within, "most": limit}
    return _runs(connection.execute(_ENDING, asked).all())


def still_open(connection: Connection) -> list[Run]:
    """Every run that has not ended, oldest first."""
    return _runs(connection.execute(_OPEN).all())


def last_of(connection: Connection, task_name: str, limit: int) -> list[Run]:
    """A task's newest runs, newest first."""
    return _runs(connection.execute(_OF_TASK, {"task_name": task_name, "most": limit}).all())


def last_ticks(connection: Connection, task_name: str, limit: int) -> list[Run]:
    """The runs of a task's newest ticks, and those that tell of gaps among them; the newest tick first."""
    asked = {"task_name": task_name, "most": limit}
    found = _runs([*connection.execute(_TICKS, asked).all(), *connection.execute(_GAPS, asked).all()])
    return sorted(found, key=lambda run: run.scheduled_at or run.created_at, reverse=True)[:limit]


def living_at(connection: Connection, moment: datetime, drift: Drift) -> list[Run]:
    """The runs of tasks that had started then and not ended, the newest first.

    It looks at no more than `LOOKED_AT` of those that were there: one that had been running since long before
    them is not found.
    """
    at = of_time(moment)
    newest = (
        select(*RUNS.c).where(RUNS.c.id < drift.last_id(moment)).order_by(RUNS.c.id.desc()).limit(LOOKED_AT)
    ).subquery()
    living = select(newest).where(
        newest.c.kind == Kind.TASK,
        newest.c.start_at <= at,
        or_(newest.c.end_at.is_(None), newest.c.end_at > at),
    )
    return _runs(connection.execute(living).all())


def told_until(connection: Connection) -> dict[str, datetime]:
    """Of each task the newest tick that has its run, or of which one tells."""
    return {
        name: to_time(max(at for at in ends if at is not None))
        for name, *ends in connection.execute(_TOLD_UNTIL)
        if any(at is not None for at in ends)
    }


def latest(connection: Connection) -> dict[str, Run]:
    """The newest run of every task that ever had one."""
    runs = _runs(connection.execute(_LATEST).all())
    return {run.task_name: run for run in runs if run.task_name is not None}


def _runs(rows: Sequence[Sequence[object]]) -> list[Run]:
    return [row.to_run(found) for found in rows]
