"""Tasks as the database remembers them: an id of their own, and since when their schedule is as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from rota.storage.microseconds import of_time, to_time
from rota.storage.schema import TASKS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRecord:
    """What is remembered of a task, also while no file defines it."""

    id: int  #: never given to another task
    name: str
    fingerprint: str  #: of its schedule
    schedule_since: datetime  #: no tick before this is owed
    first_seen_at: datetime


_IDS = select(TASKS.c.name, TASKS.c.id)
_ALL = Statement(select(*TASKS.c), [])
_ADD = Statement(insert(TASKS), ["name", "fingerprint", "schedule_since", "first_seen_at"])
_RESCHEDULE = Statement(
    update(TASKS)
    .values(fingerprint=bindparam("fingerprint"), schedule_since=bindparam("schedule_since"))
    .where(TASKS.c.name == bindparam("wanted")),
    ["fingerprint", "schedule_since", "wanted"],
)


def register(cursor: DBAPICursor, fingerprints: Mapping[str, str], now: datetime) -> dict[str, TaskRecord]:
    """Add what is new, note since when a changed schedule holds; return every task that was named.

    What is not named has no schedule meanwhile: if it comes back, it owes nothing of that time.
    """
    known = _all(cursor)
    at = of_time(now)
    for name, fingerprint in fingerprints.items():
        before = known.get(name)
        if before is None:
            _ADD.execute(cursor, (name, fingerprint, at, at))
        elif before.fingerprint != fingerprint:
            _RESCHEDULE.execute(cursor, (fingerprint, at, name))
    for name in known.keys() - fingerprints.keys():
        if known[name].fingerprint:
            _RESCHEDULE.execute(cursor, ("", at, name))
    after = _all(cursor)
    return {name: after[name] for name in fingerprints}


def ids(connection: Connection) -> dict[str, int]:
    """The id of every task that ever was, by its name."""
    return dict(connection.execute(_IDS).tuples().all())


def _all(cursor: DBAPICursor) -> dict[str, TaskRecord]:
    return {
        name: TaskRecord(
            id=task_id,
            name=name,
            fingerprint=fingerprint,
            schedule_since=to_time(schedule_since),
            first_seen_at=to_time(first_seen_at),
        )
        for task_id, name, fingerprint, schedule_since, first_seen_at in _ALL.execute(cursor).fetchall()
    }
