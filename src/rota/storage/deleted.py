"""Deleted runs, while they can be restored: they are out of `runs`, where nothing has to pass them by.

A row goes over as a JSON object, so that it fits into the table again after a migration. Its log stays where
it is until the run is gone for good.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.run import RunId
from rota.storage import retention, runs
from rota.storage.microseconds import of_time, to_time
from rota.storage.row import to_run
from rota.storage.schema import DELETED, RUNS, TAGS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.model.run import Run

_COLUMNS = tuple(RUNS.c.keys())

_TAKE_OUT = Statement(
    delete(RUNS).where(RUNS.c.id == bindparam("run_id"), RUNS.c.end_reason.is_not(None)).returning(*RUNS.c),
    ["run_id"],
)
_PUT_BACK = Statement(insert(RUNS).on_conflict_do_nothing(), _COLUMNS)
_KEEP = Statement(insert(DELETED), ["run_id", "at", "run"])
_LOOK = Statement(select(DELETED.c.run).where(DELETED.c.run_id == bindparam("wanted")), ["wanted"])
_DROP = Statement(delete(DELETED).where(DELETED.c.run_id == bindparam("wanted")), ["wanted"])
_UNTAG = Statement(
    delete(TAGS).where(TAGS.c.tag == bindparam("tag"), TAGS.c.run_id == bindparam("run_id")),
    ["tag", "run_id"],
)

_NEWEST = (
    select(DELETED.c.run, DELETED.c.at)
    .where(DELETED.c.run_id < bindparam("before"))
    .order_by(DELETED.c.run_id.desc())
    .limit(bindparam("most"))
)
_THESE = select(DELETED.c.run, DELETED.c.at).where(DELETED.c.run_id.in_(bindparam("ids", expanding=True)))
_OVERDUE = (
    select(DELETED.c.run_id)
    .where(DELETED.c.at <= bindparam("until"))
    .order_by(DELETED.c.at)
    .limit(bindparam("most"))
)

_AFTER_ALL = "~"
"""Greater than any id."""


def set_aside(cursor: DBAPICursor, run_ids: Iterable[RunId], at: datetime) -> list[RunId]:
    """Delete those that have ended, so that they can be restored; those."""
    done = []
    for run_id in run_ids:
        for row in _TAKE_OUT.execute(cursor, (run_id,)).fetchall():
            kept = {name: value for name, value in zip(_COLUMNS, row, strict=True) if value is not None}
            _KEEP.execute(cursor, (run_id, of_time(at), json.dumps(kept)))
            for tag in json.loads(kept.get("tags", "[]")):
                _UNTAG.execute(cursor, (tag, run_id))
            done.append(run_id)
    return done


def restore(cursor: DBAPICursor, run_ids: Iterable[RunId]) -> dict[RunId, bool]:
    """Put those back that were deleted; False for one whose tick another run has meanwhile."""
    found: dict[RunId, bool] = {}
    for run_id in run_ids:
        for (text,) in _LOOK.execute(cursor, (run_id,)).fetchall():
            kept = json.loads(text)
            values = tuple(kept.get(name) for name in _COLUMNS)
            found[run_id] = _PUT_BACK.execute(cursor, values).rowcount == 1
            if found[run_id]:
                runs.tag(cursor, run_id, json.loads(kept.get("tags", "[]")))
                _DROP.execute(cursor, (run_id,))
    return found


def purge(cursor: DBAPICursor, run_ids: Iterable[RunId]) -> int:
    """Let go of deleted runs for good, and list their files for removal; how many bytes their logs have."""
    freed = 0
    for run_id in run_ids:
        if _DROP.execute(cursor, (run_id,)).rowcount == 1:
            freed += retention.let_go_of_log(cursor, run_id)
    return freed


def newest(connection: Connection, before: str | None, limit: int) -> list[tuple[Run, datetime]]:
    """Deleted runs, newest first by id, each with the time of its deletion."""
    asked = {"before": before or _AFTER_ALL, "most": limit}
    return _runs(connection.execute(_NEWEST, asked).all())


def these(connection: Connection, run_ids: Sequence[RunId]) -> list[tuple[Run, datetime]]:
    """Those of the runs that are deleted and can be restored."""
    return _runs(connection.execute(_THESE, {"ids": list(run_ids)}).all())


def overdue(connection: Connection, until: datetime, limit: int) -> list[RunId]:
    """Runs that were deleted by then."""
    rows = connection.execute(_OVERDUE, {"until": of_time(until), "most": limit}).all()
    return [RunId(run_id) for (run_id,) in rows]


def _runs(rows: Sequence[Sequence[Any]]) -> list[tuple[Run, datetime]]:
    return [(to_run(tuple(map(json.loads(text).get, _COLUMNS))), to_time(at)) for text, at in rows]
