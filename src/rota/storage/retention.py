"""The statements that let go of runs and of logs, and the list of files which are to follow them.

What is deleted here leaves its run's id in `removals`, in the same transaction. The files are removed after
the commit, and only then the id: a crash in between leaves a list, and no search through a million files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.run import RunId
from rota.storage.microseconds import of_time, to_time
from rota.storage.row import to_run
from rota.storage.schema import LOGS, REMOVALS, RUNS, TAGS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.model.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Old:
    """The beginning of a history: how many runs of a task, or jobs, have ended, and the first of those."""

    ended: int
    oldest: list[Run]


_inserted = insert(LOGS)
_NOTE_LOG = Statement(
    _inserted.on_conflict_do_update(index_elements=[LOGS.c.run_id], set_={"size": _inserted.excluded.size}),
    ["run_id", "size"],
)
_DELETE_RUN = Statement(
    delete(RUNS)
    .where(RUNS.c.id == bindparam("run_id"), RUNS.c.end_reason.is_not(None))
    .returning(RUNS.c.tags),
    ["run_id"],
)
_UNTAG = Statement(
    delete(TAGS).where(TAGS.c.tag == bindparam("tag"), TAGS.c.run_id == bindparam("run_id")),
    ["tag", "run_id"],
)
_FORGET_LOG = Statement(
    delete(LOGS).where(LOGS.c.run_id == bindparam("run_id")).returning(LOGS.c.size, LOGS.c.removed_at),
    ["run_id"],
)
_GIVE_UP_LOG = Statement(
    update(LOGS)
    .values(removed_at=bindparam("at"))
    .where(LOGS.c.run_id == bindparam("wanted"), LOGS.c.removed_at.is_(None)),
    ["at", "wanted"],
)
_LIST = Statement(insert(REMOVALS).on_conflict_do_nothing(), ["run_id"])
_STRIKE = Statement(delete(REMOVALS).where(REMOVALS.c.run_id == bindparam("run_id")), ["run_id"])

_OF_TASK = RUNS.c.task_name.is_not_distinct_from(bindparam("task_name")), RUNS.c.end_reason.is_not(None)
_COUNT = select(func.count()).select_from(RUNS).where(*_OF_TASK)
_OLDEST = select(*RUNS.c).where(*_OF_TASK).order_by(RUNS.c.id).limit(bindparam("most"))
_TOTAL = select(func.coalesce(func.sum(LOGS.c.size), 0)).where(
    LOGS.c.removed_at.is_(None), LOGS.c.run_id.not_in(bindparam("but", expanding=True))
)
_OLDEST_LOGS = (
    select(LOGS.c.run_id, LOGS.c.size)
    .where(LOGS.c.removed_at.is_(None), LOGS.c.run_id >= bindparam("first"))
    .order_by(LOGS.c.run_id)
    .limit(bindparam("most"))
)
_REMOVALS = select(REMOVALS.c.run_id).limit(bindparam("most"))
_REMOVED_AT = select(LOGS.c.removed_at).where(LOGS.c.run_id == bindparam("run_id"))


def note_log(cursor: DBAPICursor, run_id: RunId, size: int) -> None:
    """An ended run has left a log of so many bytes."""
    _NOTE_LOG.execute(cursor, (run_id, size))


def delete_runs(cursor: DBAPICursor, run_ids: Iterable[RunId]) -> tuple[list[RunId], int]:
    """Delete those that have ended, and list their files for removal; those, and how large their logs are."""
    deleted = [run_id for run_id in run_ids if _delete_run(cursor, run_id)]
    return deleted, sum(let_go_of_log(cursor, run_id) for run_id in deleted)


def let_go_of_log(cursor: DBAPICursor, run_id: RunId) -> int:
    """List the files of a run that is gone for removal; how many bytes its log has."""
    found = _FORGET_LOG.execute(cursor, (run_id,)).fetchall()
    _LIST.execute(cursor, (run_id,))
    return sum(size for size, removed in found if removed is None)


def _delete_run(cursor: DBAPICursor, run_id: RunId) -> bool:
    found = _DELETE_RUN.execute(cursor, (run_id,)).fetchall()
    for (tags,) in found:
        for tag in () if tags is None else json.loads(tags):
            _UNTAG.execute(cursor, (tag, run_id))
    return bool(found)


def give_up_logs(cursor: DBAPICursor, run_ids: Iterable[RunId], at: datetime) -> None:
    """Keep the runs without their logs, and list the files for removal."""
    for run_id in run_ids:
        if _GIVE_UP_LOG.execute(cursor, (of_time(at), run_id)).rowcount == 1:
            _LIST.execute(cursor, (run_id,))


def strike(cursor: DBAPICursor, run_ids: Iterable[RunId]) -> None:
    """Their files are gone."""
    for run_id in run_ids:
        _STRIKE.execute(cursor, (run_id,))


def old(connection: Connection, task_name: str | None, limit: int) -> Old:
    """How many runs of a task have ended, or how many jobs, and the oldest of them."""
    count = connection.execute(_COUNT, {"task_name": task_name}).scalar_one()
    rows = connection.execute(_OLDEST, {"task_name": task_name, "most": limit}).all()
    return Old(ended=count, oldest=[to_run(row) for row in rows])


def total(connection: Connection, but: Sequence[RunId]) -> int:
    """The bytes of all logs of ended runs other than these."""
    return int(connection.execute(_TOTAL, {"but": list(but)}).scalar_one())


def oldest_logs(connection: Connection, first: str, limit: int) -> list[tuple[RunId, int]]:
    """Logs that are there, with their sizes, in the order of their runs from the id `first` on."""
    rows = connection.execute(_OLDEST_LOGS, {"first": first, "most": limit}).all()
    return [(RunId(run_id), size) for run_id, size in rows]


def listed(connection: Connection, limit: int) -> list[RunId]:
    """Runs whose files are to be removed."""
    return [RunId(run_id) for (run_id,) in connection.execute(_REMOVALS, {"most": limit}).all()]


def removed_at(connection: Connection, run_id: RunId) -> datetime | None:
    """When a run's log was given up; None when it was not."""
    found = connection.execute(_REMOVED_AT, {"run_id": run_id}).scalar()
    return None if found is None else to_time(found)
