"""A search through the logs of many runs, newest first, as far as its time and its limit allow."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from rota.logs.line import Stream
from rota.logs.pattern import PatternInvalid, compiled
from rota.logs.searchers import SearchFailed
from rota.logs.searching import Outcome, Place, Search, Searched, Stopped
from rota.model.error import Fault, Invalid
from rota.model.run import RunId, Status
from rota.operations.get_task import not_found
from rota.storage.page import RunFilter, write_cursor

if TYPE_CHECKING:
    from rota.logs.line import Line
    from rota.logs.pattern import Wanted
    from rota.model.run import Run
    from rota.operations.rota import Rota

log = structlog.get_logger(__name__)

#: How many runs are looked up, and handed to a searcher, at once.
BATCH = 200

_DIGEST = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchWanted:
    """What is looked for, and how long."""

    wanted: Wanted
    task_name: str | None = None  #: or of a service; None looks through the logs of all
    streams: tuple[Stream, ...] = tuple(Stream)
    limit: int = 100
    budget: float = 10.0  #: seconds
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A line that matches, and whose it is."""

    run: Run
    line: Line


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """What was found, and how far the search got."""

    items: list[Match]
    next_cursor: str | None  #: None when everything was looked through
    stopped: Stopped | None
    runs: int  #: whose logs were looked at, the last one perhaps in part
    bytes: int
    reached: Run | None  #: the oldest run that was looked at


async def search_logs(rota: Rota, wanted: SearchWanted) -> Matches:
    """The lines that match. Raises Invalid, and TaskNotFound for a task that there neither is nor was."""
    check_pattern(wanted.wanted, "query.q")
    name = wanted.task_name
    known = (*rota.engine.tasks, *rota.engine.services.services)
    if name is not None and name not in known and not await rota.store.last_runs(name, 1):
        raise not_found(rota, name)
    search = _Searching(rota, wanted)
    await search.run()
    return search.matches()


def check_pattern(wanted: Wanted, location: str) -> None:
    """Raise Invalid when the text is no pattern."""
    try:
        compiled(wanted)
    except PatternInvalid as error:
        raise Invalid([Fault(location=location, message=str(error), value=wanted.text)]) from error


async def searched_by(rota: Rota, asked: Search) -> Outcome:
    """The outcome of a search; one that got no answer was stopped before it began."""
    try:
        return await rota.searchers.search(asked)
    except SearchFailed as error:
        log.warning("a search was given up", reason=str(error))
        first = asked.logs[0]
        begin = Place(run_id=first.run_id, n=first.start)
        return Outcome(found=[], lines=[], reached=begin, next=begin, bytes=0, stopped=Stopped.TIME)


class _Searching:
    def __init__(self, rota: Rota, wanted: SearchWanted) -> None:
        self._rota = rota
        self._wanted = wanted
        self._filter = RunFilter(task_name=wanted.task_name)
        self._until = time.monotonic() + wanted.budget
        self._items: list[Match] = []
        self._next: Place | None = None
        self._stopped: Stopped | None = None
        self._runs = 0
        self._bytes = 0
        self._reached: Run | None = None

    async def run(self) -> None:
        """Look through one batch of runs after another."""
        begin = None if self._wanted.cursor is None else self._read(self._wanted.cursor)
        older: str | None = None
        if begin is not None:
            first = await self._rota.store.run(RunId(begin.run_id))
            older = write_cursor(self._filter, begin.run_id)
            if first is not None and not await self._look_through([first], begin.n):
                return
        while True:
            page = await self._rota.store.runs(self._filter, limit=BATCH, cursor=older)
            if page.items and not await self._look_through(page.items, 1):
                return
            older = page.next_cursor
            if older is None:
                return

    async def _look_through(self, runs: list[Run], start: int) -> bool:
        """Whether to go on."""
        wanted = self._wanted
        outcome = await searched_by(
            self._rota,
            Search(
                data=str(self._rota.data),
                logs=[
                    Searched(
                        run_id=run.id,
                        finalized=run.status is Status.ENDED,
                        start=start if number == 0 else 1,
                    )
                    for number, run in enumerate(runs)
                ],
                wanted=wanted.wanted,
                limit=wanted.limit - len(self._items),
                seconds=max(0.0, self._until - time.monotonic()),
                streams=tuple(stream.number for stream in wanted.streams),
                show=True,
            ),
        )
        by_id = {run.id: run for run in runs}
        for (run_id, _), line in zip(outcome.found, outcome.lines, strict=True):
            self._items.append(Match(run=by_id[RunId(run_id)], line=line))
        self._bytes += outcome.bytes
        if outcome.reached is not None:
            self._reached = by_id[RunId(outcome.reached.run_id)]
            self._runs += 1 + runs.index(self._reached)
        self._next, self._stopped = outcome.next, outcome.stopped
        return outcome.next is None

    def matches(self) -> Matches:
        """All of it."""
        return Matches(
            items=self._items,
            next_cursor=None if self._next is None else self._write(self._next),
            stopped=self._stopped,
            runs=self._runs,
            bytes=self._bytes,
            reached=self._reached,
        )

    def _write(self, place: Place) -> str:
        text = f"{place.run_id}.{place.n}".encode()
        return base64.urlsafe_b64encode(self._digest() + text).rstrip(b"=").decode()

    def _read(self, cursor: str) -> Place:
        try:
            content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            run_id, _, n = content[_DIGEST:].decode("ascii").partition(".")
            place = Place(run_id=run_id, n=int(n))
        except (binascii.Error, ValueError) as error:
            fault = "this is not a cursor; take next_cursor of the answer before, or leave it out"
            raise Invalid([Fault(location="query.cursor", message=fault, value=cursor)]) from error
        if content[:_DIGEST] != self._digest():
            fault = "this cursor was made for another search; repeat that one, or leave it out"
            raise Invalid([Fault(location="query.cursor", message=fault, value=cursor)])
        return place

    def _digest(self) -> bytes:
        it = self._wanted
        parts = (it.task_name, it.wanted.text, it.wanted.regex, it.wanted.case, sorted(it.streams))
        return hashlib.sha256(repr(parts).encode()).digest()[:_DIGEST]
