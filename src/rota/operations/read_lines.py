"""A run's log as lines: a page from any place on, its end, what is new, or what matches."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.logs.line import microseconds
from rota.logs.log import Log
from rota.logs.page import (
    Position,
    View,
    open_lines,
    position_of_time,
    read_around,
    read_cursor,
    read_page,
    read_tail,
    steady,
    write_cursor,
)
from rota.logs.searching import Search, Searched
from rota.model.error import Fault, Invalid
from rota.model.run import Status
from rota.operations.get_run import get_run
from rota.operations.search_logs import check_pattern, searched_by

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rota.logs.line import Line
    from rota.logs.page import OpenLine, Page
    from rota.logs.pattern import Wanted
    from rota.logs.searching import Outcome
    from rota.model.run import Run
    from rota.operations.rota import Rota

#: Seconds that a look for matching lines may take.
BUDGET = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Grep:
    """Only lines that match, with those around them."""

    wanted: Wanted
    before: int = 0
    after: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LinesWanted:
    """Which lines; where nothing says where to begin, the first that is there."""

    start: int | None = None  #: from this line on
    start_at: datetime | None = None  #: from the first line on that came at this time or later
    since: str | None = None  #: from where another page ended
    tail: bool = False  #: the last lines
    grep: Grep | None = None
    progress: bool = False  #: with what is still being written
    view: View = field(default_factory=View)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLines:
    """Some lines of a log, and what is known of all of it."""

    lines: Sequence[Line]
    open: Sequence[OpenLine] | None
    first_available: int
    total_lines: int
    dropped_bytes: int  #: of the beginning, to stay within the cap
    removed_at: datetime | None  #: when all of it was removed, to make room for newer ones
    finalized: bool
    stopped_early: bool  #: the time for finding matches was over
    next_cursor: str | None  #: None when nothing can follow


async def read_lines(rota: Rota, run_id: str, wanted: LinesWanted) -> LogLines:
    """The lines that are wanted. Raises RunNotFound, RunUnclear and Invalid."""
    run = await get_run(rota, run_id)
    if wanted.since is not None:
        _position(run, wanted.since)
    removed_at = await rota.store.log_removed_at(run.id)
    outcome = None if wanted.grep is None else await _find(rota, run, wanted, wanted.grep)
    return await asyncio.to_thread(_read, rota, run, wanted, outcome, removed_at)


async def _find(rota: Rota, run: Run, wanted: LinesWanted, grep: Grep) -> Outcome:
    check_pattern(grep.wanted, "query.grep")
    start = await asyncio.to_thread(_start_of, rota, run, wanted)
    limit = wanted.view.limit if wanted.tail else wanted.view.limit + grep.after
    return await searched_by(
        rota,
        Search(
            data=str(rota.data),
            logs=[Searched(run_id=run.id, finalized=_has_ended(run), start=start.n)],
            wanted=grep.wanted,
            limit=limit,
            seconds=BUDGET,
            streams=wanted.view.streams,
            newest=wanted.tail,
        ),
    )


def _read(
    rota: Rota, run: Run, wanted: LinesWanted, outcome: Outcome | None, removed_at: datetime | None
) -> LogLines:
    with Log(rota.data, run.id, finalized=_has_ended(run)) as log:
        start = _start(log, run, wanted)
        page = steady(log, lambda: _page(log, wanted, start, outcome))
        everything = log.finalized and page.next.n > log.total_lines
        return LogLines(
            lines=page.lines,
            open=open_lines(log, wanted.view.ansi) if wanted.progress else None,
            first_available=log.first_available,
            total_lines=log.total_lines,
            dropped_bytes=log.beginning.offset,
            removed_at=removed_at,
            finalized=log.finalized,
            stopped_early=outcome is not None and outcome.stopped == "time",
            next_cursor=None if everything else write_cursor(run.id, page.next),
        )


def _page(log: Log, wanted: LinesWanted, start: Position, outcome: Outcome | None) -> Page:
    if outcome is None or wanted.grep is None:
        return read_tail(log, wanted.view) if wanted.tail else read_page(log, start, wanted.view)
    numbers = [n for _, n in outcome.found]
    found = numbers[: wanted.view.limit]
    reached = start.n if outcome.reached is None else outcome.reached.n
    return read_around(
        log,
        found,
        wanted.view,
        start=start,
        before=wanted.grep.before,
        after=wanted.grep.after,
        matches=numbers,
        # What lies behind the last that was asked for is looked at again with the next page.
        stop=None if len(found) == wanted.view.limit and not wanted.tail else reached,
    )


def _start_of(rota: Rota, run: Run, wanted: LinesWanted) -> Position:
    with Log(rota.data, run.id, finalized=_has_ended(run)) as log:
        return _start(log, run, wanted)


def _start(log: Log, run: Run, wanted: LinesWanted) -> Position:
    if wanted.since is not None:
        return _position(run, wanted.since)
    if wanted.start_at is not None:
        return position_of_time(log, microseconds(wanted.start_at))
    return Position(1 if wanted.start is None else wanted.start)


def _position(run: Run, cursor: str) -> Position:
    try:
        return read_cursor(run.id, cursor)
    except ValueError as error:
        raise Invalid([Fault(location="query.since", message=str(error), value=cursor)]) from error


def _has_ended(run: Run) -> bool:
    return run.status is Status.ENDED
