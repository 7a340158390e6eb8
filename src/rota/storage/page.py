"""A list of runs, a page at a time, newest first."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, func, select, union, union_all

from rota.model.run import EndReason, Kind, Run, Status, TriggeredBy
from rota.storage.microseconds import of_time
from rota.storage.row import to_run
from rota.storage.schema import RUNS, STILL_OPEN, TAGS

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
    kind: AbstractSet[Kind] | None = None
    name: str | None = None  #: of a job
    tags: AbstractSet[str] | None = None  #: of a job
    status: AbstractSet[Status] | None = None
    end_reason: AbstractSet[EndReason] | None = None
    is_failure: bool | None = None  #: of an end, by what its task said then
    triggered_by: AbstractSet[TriggeredBy] | None = None
    created_after: datetime | None = None  #: this moment included
    created_before: datetime | None = None  #: this moment not included


def fits(run: Run, wanted: RunFilter) -> bool:
    """Whether a filter lets a run through: as the query says it, of one that is at hand."""
    name, tags = (None, ()) if run.job is None else (run.job.name, run.job.tags)
    chosen: tuple[tuple[object, AbstractSet[Any] | None], ...] = (
        (run.kind, wanted.kind),
        (run.status, wanted.status),
        (run.end_reason, wanted.end_reason),
        (run.triggered_by, wanted.triggered_by),
    )
    return (
        wanted.task_name in (None, run.task_name)
        and wanted.name in (None, name)
        and (wanted.tags is None or not wanted.tags.isdisjoint(tags))
        and all(allowed is None or value in allowed for value, allowed in chosen)
        and wanted.is_failure in (None, run.is_failure)
        and (wanted.created_after is None or run.created_at >= wanted.created_after)
        and (wanted.created_before is None or run.created_at < wanted.created_before)
    )


class _By(Enum):
    """What can narrow a list."""

    TAG = auto()
    NAME = auto()
    END = auto()
    OPEN = auto()
    TASK = auto()
    KIND = auto()
    TRIGGER = auto()


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


def count(connection: Connection, wanted: RunFilter, most: int, drift: Drift) -> int:
    """How many runs there are in all, counted no further than `most`."""
    if _is_of_none(wanted):
        return 0
    each = [select(_ids(wanted, branch, None, drift).subquery().c.id) for branch in _branches(wanted)]
    # One run may have several of the tags.
    ids = (union(*each) if len(each) > 1 else each[0]).limit(most).subquery()
    found: int = connection.execute(select(func.count()).select_from(ids)).scalar_one()
    return found


def write_cursor(wanted: RunFilter, last_id: str) -> str:
    """Where a page ended, and of which list."""
    return base64.urlsafe_b64encode(_digest(wanted) + last_id.encode()).rstrip(b"=").decode()


def read_cursor(wanted: RunFilter, cursor: str) -> str:
    """The id that a page ended with; ValueError when the cursor is of another list, or none of ours."""
    digest, last_id = split_cursor(cursor)
    if digest != _digest(wanted):
        raise ValueError("this cursor was made with other filters; repeat those, or leave it out")
    return last_id


def split_cursor(cursor: str) -> tuple[bytes, str]:
    """Of which list a cursor is, and the id that its page ended with; ValueError when it is none of ours."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last_id = content[_DIGEST:].decode("ascii")
    except (binascii.Error, ValueError):
        last_id = ""
    if not last_id:
        raise ValueError("this is not a cursor; take next_cursor of the page before, or leave it out")
    return content[:_DIGEST], last_id


def _digest(wanted: RunFilter) -> bytes:
    parts: list[object] = [
        wanted.task_name,
        wanted.name,
        wanted.is_failure,
        *(None if chosen is None else sorted(chosen) for chosen in _sets(wanted)),
        *(None if at is None else of_time(at) for at in (wanted.created_after, wanted.created_before)),
    ]
    return hashlib.sha256(repr(parts).encode()).digest()[:_DIGEST]


def _sets(wanted: RunFilter) -> tuple[AbstractSet[str] | None, ...]:
    return wanted.status, wanted.end_reason, wanted.triggered_by, wanted.kind, wanted.tags


def _is_of_none(wanted: RunFilter) -> bool:
    """Whether no run can be let through."""
    return not _ends(wanted) or any(chosen is not None and not chosen for chosen in _sets(wanted))


def _query(wanted: RunFilter, limit: int, after: str | None, drift: Drift) -> Select[*tuple[object, ...]]:
    newest = select(*RUNS.c).order_by(RUNS.c.id.desc()).limit(limit)
    if _is_of_none(wanted):
        return newest.where(false())
    branches = _branches(wanted)
    if len(branches) == 1 and wanted.tags is None:
        return newest.where(*_conditions(wanted, RUNS.c.id, after, drift), *branches[0])
    few = [_ids(wanted, branch, after, drift).limit(limit).subquery() for branch in branches]
    return newest.where(RUNS.c.id.in_(union_all(*(select(each.c.id) for each in few))))


def _ids(
    wanted: RunFilter, branch: list[ColumnElement[bool]], after: str | None, drift: Drift
) -> Select[tuple[str]]:
    # Of tagged runs, the tags' own index gives the newest first.
    ids = RUNS.c.id if wanted.tags is None else TAGS.c.run_id
    query = select(ids.label("id")).where(*_conditions(wanted, ids, after, drift), *branch)
    if wanted.tags is not None:
        query = query.select_from(TAGS.join(RUNS, RUNS.c.id == TAGS.c.run_id))
    return query.order_by(ids.desc())


def _conditions(
    wanted: RunFilter, ids: ColumnElement[str], after: str | None, drift: Drift
) -> list[ColumnElement[bool]]:
    """What a run has to be like beside what its branch says; an index that is not to be used is hidden."""
    conditions: list[ColumnElement[bool]] = []
    narrow = _narrowest(wanted)
    if wanted.task_name is not None:
        hidden = narrow in (_By.TAG, _By.NAME, _By.OPEN)
        conditions.append((_passed_by(RUNS.c.task_name) if hidden else RUNS.c.task_name) == wanted.task_name)
    if wanted.name is not None:
        conditions.append((RUNS.c.name if narrow is _By.NAME else _passed_by(RUNS.c.name)) == wanted.name)
    if wanted.status is not None:
        conditions.append(RUNS.c.status.in_(sorted(wanted.status)))
    if wanted.triggered_by is not None and narrow is not _By.TRIGGER:
        conditions.append(_passed_by(RUNS.c.triggered_by).in_(sorted(wanted.triggered_by)))
    if wanted.kind is not None and narrow is not _By.KIND:
        conditions.append(_passed_by(RUNS.c.kind).in_(sorted(wanted.kind)))
    if wanted.end_reason is not None and narrow is not _By.END:
        conditions.append(_passed_by(RUNS.c.end_reason).in_(sorted(wanted.end_reason)))
    if wanted.is_failure is not None:
        conditions.append(RUNS.c.is_failure == int(wanted.is_failure))
    if wanted.created_after is not None:
        conditions.append(ids >= drift.first_id(wanted.created_after))
        conditions.append(RUNS.c.created_at >= of_time(wanted.created_after))
    if wanted.created_before is not None:
        conditions.append(ids < drift.last_id(wanted.created_before))
        conditions.append(RUNS.c.created_at < of_time(wanted.created_before))
    if after is not None:
        conditions.append(ids < after)
    return conditions


def _narrowest(wanted: RunFilter) -> _By | None:
    """What narrows a list most, so that its index is the one to read.

    Few runs have a tag or a name, few are open; most are runs of tasks.
    """
    narrows = (
        (_By.TAG, wanted.tags is not None),
        (_By.NAME, wanted.name is not None),
        (_By.END, wanted.end_reason is not None or wanted.is_failure is not None),
        (_By.OPEN, wanted.status is not None and Status.ENDED not in wanted.status),
        (_By.TASK, wanted.task_name is not None),
        (_By.KIND, wanted.kind is not None and Kind.TASK not in wanted.kind),
        (_By.TRIGGER, wanted.triggered_by is not None),
        (_By.KIND, wanted.kind is not None),
    )
    return next((what for what, does in narrows if does), None)


def _branches(wanted: RunFilter) -> list[list[ColumnElement[bool]]]:
    """One query for each value of the set that narrows most, to be merged.

    For one value an index gives the newest first; for several it would give them all, to be sorted.
    """
    match _narrowest(wanted):
        case _By.TAG:
            return [[TAGS.c.tag == tag] for tag in sorted(wanted.tags or ())]
        case _By.END:
            return [[RUNS.c.end_reason == reason] for reason in _ends(wanted)]
        case _By.OPEN:
            return [[STILL_OPEN]]
        case _By.KIND:
            return [[RUNS.c.kind == kind] for kind in sorted(wanted.kind or ())]
        case _By.TRIGGER:
            return [[RUNS.c.triggered_by == by] for by in sorted(wanted.triggered_by or ())]
        case _:
            return [[]]


def _ends(wanted: RunFilter) -> list[EndReason]:
    """The end reasons that runs of this filter may have."""
    reasons = set(EndReason if wanted.end_reason is None else wanted.end_reason)
    return sorted(reasons - {EndReason.SUCCESS} if wanted.is_failure else reasons)


def _passed_by(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column as an expression: a planner would take its index even when nine runs in ten match."""
    return column.concat("")
