"""A list of runs, a page at a time, newest first."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import false, select, union_all

from rota.model.run import EndReason, Run, Status, TriggeredBy
from rota.storage.microseconds import of_time
from rota.storage.row import to_run
from rota.storage.schema import RUNS, STILL_OPEN

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from rota.storage.drift import Drift

_DIGEST = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs a list is of; None asks for nothing, a set for any of its members."""

    task_name: str | None = None
    status: AbstractSet[Status] | None = None
    end_reason: AbstractSet[EndReason] | None = None
    triggered_by: AbstractSet[TriggeredBy] | None = None
    created_after: datetime | None = None  #: this moment included
    created_before: datetime | None = None  #: this moment not included


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some runs of a list, and how to ask for those that follow."""

    items: list[Run]
    next_cursor: str | None  #: None on the last page


def page(connection: Connection, wanted: RunFilter, limit: int, after: str | None, drift: Drift) -> Page:
    """The newest `limit` runs, or those older than the id `after`."""
    rows = connection.execute(_query(wanted, limit + 1, after, drift)).all()
    items = [to_run(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=write_cursor(wanted, items[-1].id) if len(rows) > limit else None)


def write_cursor(wanted: RunFilter, last_id: str) -> str:
    """Where a page ended, and of which list."""
    return base64.urlsafe_b64encode(_digest(wanted) + last_id.encode()).rstrip(b"=").decode()


def read_cursor(wanted: RunFilter, cursor: str) -> str:
    """The id that a page ended with; ValueError when the cursor is of another list, or none of ours."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last_id = content[_DIGEST:].decode("ascii")
    except (binascii.Error, ValueError):
        last_id = ""
    if not last_id:
        raise ValueError("this is not a cursor; take next_cursor of the page before, or leave it out")
    if content[:_DIGEST] != _digest(wanted):
        raise ValueError("this cursor was made with other filters; repeat those, or leave it out")
    return last_id


def _digest(wanted: RunFilter) -> bytes:
    parts: list[object] = [
        wanted.task_name,
        *(None if chosen is None else sorted(chosen) for chosen in _sets(wanted)),
        *(None if at is None else of_time(at) for at in (wanted.created_after, wanted.created_before)),
    ]
    return hashlib.sha256(repr(parts).encode()).digest()[:_DIGEST]


def _sets(wanted: RunFilter) -> tuple[AbstractSet[str] | None, ...]:
    return wanted.status, wanted.end_reason, wanted.triggered_by


def _query(wanted: RunFilter, limit: int, after: str | None, drift: Drift) -> Select[*tuple[object, ...]]:
    conditions = _conditions(wanted, after, drift)
    branches = _branches(wanted)
    newest = select(*RUNS.c).order_by(RUNS.c.id.desc()).limit(limit)
    if len(branches) == 1:
        return newest.where(*conditions, *branches[0])
    few = [
        select(RUNS.c.id).where(*conditions, *branch).order_by(RUNS.c.id.desc()).limit(limit).subquery()
        for branch in branches
    ]
    return newest.where(RUNS.c.id.in_(union_all(*(select(each.c.id) for each in few))))


def _conditions(wanted: RunFilter, after: str | None, drift: Drift) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.task_name is not None:
        conditions.append(
            (_passed_by(RUNS.c.task_name) if _only_open(wanted) else RUNS.c.task_name) == wanted.task_name
        )
    if wanted.status is not None:
        conditions.append(RUNS.c.status.in_(sorted(wanted.status)))
    if wanted.triggered_by is not None and not _by_trigger(wanted):
        conditions.append(_passed_by(RUNS.c.triggered_by).in_(sorted(wanted.triggered_by)))
    if wanted.created_after is not None:
        conditions.append(RUNS.c.id >= drift.first_id(wanted.created_after))
        conditions.append(RUNS.c.created_at >= of_time(wanted.created_after))
    if wanted.created_before is not None:
        conditions.append(RUNS.c.id < drift.last_id(wanted.created_before))
        conditions.append(RUNS.c.created_at < of_time(wanted.created_before))
    if after is not None:
        conditions.append(RUNS.c.id < after)
    return conditions


def _branches(wanted: RunFilter) -> list[list[ColumnElement[bool]]]:
    """One query for each value of the set that narrows most, to be merged.

    For one value an index gives the newest first; for several it would give them all, to be sorted.
    """
    if any(chosen is not None and not chosen for chosen in _sets(wanted)):
        return [[false()]]
    if wanted.end_reason is not None:
        return [[RUNS.c.end_reason == reason] for reason in sorted(wanted.end_reason)]
    if _only_open(wanted):
        return [[STILL_OPEN]]
    if wanted.triggered_by is not None and _by_trigger(wanted):
        return [[RUNS.c.triggered_by == by] for by in sorted(wanted.triggered_by)]
    return [[]]


def _passed_by(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column as an expression: a planner would take its index even when nine runs in ten match."""
    return column.concat("")


def _only_open(wanted: RunFilter) -> bool:
    return wanted.status is not None and Status.ENDED not in wanted.status


def _by_trigger(wanted: RunFilter) -> bool:
    """Whether `triggered_by` is what narrows the list, and nothing else does."""
    return wanted.task_name is None and wanted.end_reason is None and not _only_open(wanted)
