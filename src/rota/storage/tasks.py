"""Tasks as the database remembers them: an id, since when their schedule is as it is, each definition."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select, update

from rota.model.definition import Revision, digest_of
from rota.storage.microseconds import of_time, to_time
from rota.storage.schema import REVISIONS, RUNS, TASKS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRecord:
    """What is remembered of a task, also while no file defines it."""

    fingerprint: str  #: of its schedule
    schedule_since: datetime  #: no tick before this is owed
    revision: int  #: the number of its newest definition; 0: none was kept yet
    digest: str | None  #: of that


MOST_REVISIONS = 200
"""So many a task may have; then those go that no run was started under, but for the newest half."""

_IDS = select(TASKS.c.name, TASKS.c.id)
_ALL = Statement(
    select(TASKS.c.name, TASKS.c.fingerprint, TASKS.c.schedule_since, TASKS.c.revision, TASKS.c.digest), []
)
_ADD = Statement(
    insert(TASKS), ["name", "fingerprint", "schedule_since", "first_seen_at", "revision", "digest"]
)
_RESCHEDULE = Statement(
    update(TASKS)
    .values(fingerprint=bindparam("fingerprint"), schedule_since=bindparam("schedule_since"))
    .where(TASKS.c.name == bindparam("wanted")),
    ["fingerprint", "schedule_since", "wanted"],
)
_REVISE = Statement(
    update(TASKS)
    .values(revision=bindparam("revision"), digest=bindparam("digest"))
    .where(TASKS.c.name == bindparam("wanted")),
    ["revision", "digest", "wanted"],
)
_KEEP = Statement(insert(REVISIONS), ["name", "number", "since", "definition"])
_COUNT = Statement(
    select(func.count()).select_from(REVISIONS).where(REVISIONS.c.name == bindparam("wanted")), ["wanted"]
)
_FORGET = Statement(
    delete(REVISIONS).where(
        REVISIONS.c.name == bindparam("wanted"),
        REVISIONS.c.number <= bindparam("last"),
        # Looked for once, not for each of them: a task may have a million runs.
        REVISIONS.c.number.not_in(
            select(RUNS.c.revision).where(
                RUNS.c.task_name == bindparam("of_task"), RUNS.c.revision.is_not(None)
            )
        ),
    ),
    ["wanted", "last", "of_task"],
)
_REVISIONS = select(*REVISIONS.c).where(REVISIONS.c.name == bindparam("wanted"))
_NEWEST_FIRST = _REVISIONS.order_by(REVISIONS.c.number.desc())
_ONE = _REVISIONS.where(REVISIONS.c.number == bindparam("number"))


def register(
    cursor: DBAPICursor, fingerprints: Mapping[str, str], definitions: Mapping[str, str], now: datetime
) -> dict[str, TaskRecord]:
    """Add what is new, note since when a changed schedule holds, keep changed definitions; all of them.

    What is not named has no schedule meanwhile: if it comes back, it owes nothing of that time.
    """
    known = _all(cursor)
    at = of_time(now)
    records: dict[str, TaskRecord] = {}
    added: list[tuple[object, ...]] = []
    kept: list[tuple[object, ...]] = []
    for name, fingerprint in fingerprints.items():
        before = known.get(name)
        digest = digest_of(definitions[name])
        if before is None:
            record = TaskRecord(fingerprint=fingerprint, schedule_since=now, revision=1, digest=digest)
            added.append((name, fingerprint, at, at, record.revision, digest))
        else:
            record = before
            if before.fingerprint != fingerprint:
                record = replace(record, fingerprint=fingerprint, schedule_since=now)
                _RESCHEDULE.execute(cursor, (fingerprint, at, name))
            if before.digest != digest:
                record = replace(record, revision=before.revision + 1, digest=digest)
                _REVISE.execute(cursor, (record.revision, digest, name))
        if before is None or before.digest != digest:
            kept.append((name, record.revision, at, definitions[name]))
        records[name] = record
    _ADD.execute_many(cursor, added)
    _KEEP.execute_many(cursor, kept)
    for name in fingerprints:
        if records[name].revision > MOST_REVISIONS and records[name] is not known.get(name):
            _forget_oldest(cursor, name, records[name].revision)
    for name in known.keys() - fingerprints.keys():
        if known[name].fingerprint:
            _RESCHEDULE.execute(cursor, ("", at, name))
    return records


def ids(connection: Connection) -> dict[str, int]:
    """The id of every task that ever was, by its name."""
    return {row.name: row.id for row in connection.execute(_IDS)}


def revision(connection: Connection, name: str, number: int) -> Revision | None:
    """One of the definitions of a task."""
    row = connection.execute(_ONE, {"wanted": name, "number": number}).one_or_none()
    return None if row is None else _to_revision(*row)


def revisions(connection: Connection, name: str) -> list[Revision]:
    """The definitions that a task has had, the newest first."""
    return [_to_revision(*row) for row in connection.execute(_NEWEST_FIRST, {"wanted": name})]


def some_revisions(connection: Connection, wanted: Iterable[tuple[str, int]]) -> list[Revision]:
    """Those of these that are there."""
    found = (revision(connection, name, number) for name, number in wanted)
    return [each for each in found if each is not None]


def _forget_oldest(cursor: DBAPICursor, name: str, newest: int) -> None:
    ((count,),) = _COUNT.execute(cursor, (name,)).fetchall()
    if count > MOST_REVISIONS:
        _FORGET.execute(cursor, (name, newest - MOST_REVISIONS // 2, name))


def _to_revision(name: str, number: int, since: int, definition: str) -> Revision:
    return Revision(name=name, number=number, since=to_time(since), definition=json.loads(definition))


def _all(cursor: DBAPICursor) -> dict[str, TaskRecord]:
    times = cache(to_time)  # most tasks came with the same file
    return {
        name: TaskRecord(
            fingerprint=fingerprint, schedule_since=times(schedule_since), revision=revision, digest=digest
        )
        for name, fingerprint, schedule_since, revision, digest in _ALL.execute(cursor).fetchall()
    }
