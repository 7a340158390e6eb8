"""What is written of runs in one transaction, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.run import Status
from rota.storage import chains, meta, requests, retention, runs
from rota.storage.conflict import KeyTaken, TickTaken
from rota.storage.microseconds import of_duration
from rota.storage.row import of_run
from rota.storage.sequel import MOVED, Moved

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.model.run import Run
    from rota.storage.requests import Request
    from rota.storage.sequel import Sequel


def create(
    cursor: DBAPICursor,
    run: Run,
    values: tuple[object, ...],
    request: Request | None,
    widest: timedelta | None,
) -> KeyTaken | TickTaken | None:
    """A run and the request that asked for it; TickTaken or KeyTaken when there is a run for that."""
    taken = None if request is None else requests.remember(cursor, request)
    if taken is not None:
        return KeyTaken(taken)
    if not runs.create(cursor, values):
        if request is not None:
            raise TickTaken(run)  # which takes the request's row back
        return TickTaken(run)
    if run.job is not None:
        runs.tag(cursor, run.id, run.job.tags)
    _save_drift(cursor, widest)
    return None


def create_many(
    cursor: DBAPICursor,
    rows: list[tuple[tuple[object, ...], bool]],
    more: list[tuple[tuple[object, ...], tuple[object, ...]]],
    widest: timedelta | None,
    keeper_id: str | None,
) -> list[bool]:
    """Those whose tick or gap is free; whether it was, of each of `rows`, firsts of `more`, and seconds."""
    if keeper_id is not None and not meta.put_changed(cursor, meta.KEEPER, keeper_id):
        return [False] * (len(rows) + 2 * len(more))
    free = [runs.create(cursor, values, gap=gap) for values, gap in rows]
    grew = [runs.grow(cursor, values) for values, _ in more]
    anew = [
        not there and runs.create(cursor, values, gap=True)
        for there, (_, values) in zip(grew, more, strict=True)
    ]
    _save_drift(cursor, widest)
    return [*free, *grew, *anew]


def move(
    cursor: DBAPICursor, before: Run, after: Run, log_size: int, sequel: Sequel, widest: timedelta | None
) -> Moved | None:
    """A run's move, with what follows from an end; None when somebody else has moved it."""
    if not runs.move(cursor, before, after):
        return None
    if log_size and after.status is Status.ENDED:
        retention.note_log(cursor, after.id, log_size)
    follow = [] if sequel.retry is None else [sequel.retry]
    follow += [each.run for each in sequel.chained if chains.completes(cursor, each)]
    for run in follow:
        runs.create(cursor, of_run(run))
    _save_drift(cursor, widest)
    return Moved(follow=follow) if follow else MOVED


def _save_drift(cursor: DBAPICursor, widest: timedelta | None) -> None:
    if widest is not None:
        meta.put(cursor, meta.ID_DRIFT, str(of_duration(widest)))
