"""A service's log: the lines of all its lives and instances, as they came; the last ones, or what is new."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.line import Ansi, microseconds
from rota.logs.log import Log
from rota.logs.page import Position, View, position_of_time, read_page, read_tail, steady
from rota.model.error import Fault, Invalid
from rota.model.run import Kind, RunId, Status
from rota.operations.get_service import check_service
from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from rota.logs.line import Line
    from rota.logs.page import Page
    from rota.model.run import Run
    from rota.operations.rota import Rota

#: So many of the newest lives are looked at.
LIVES = 1000

#: The longest text of positions that is read: 64 instances take less than a tenth.
_LONGEST = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """How far a reader has got: the next line of each life that may go on, and which lives it has met."""

    next: Mapping[RunId, int] = field(default_factory=dict)
    newest: str = ""  #: no life after the one of this id is known to it

    def write(self) -> str:
        """As a cursor."""
        text = json.dumps([self.newest, {**self.next}], separators=(",", ":"))
        return base64.urlsafe_b64encode(zlib.compress(text.encode())).rstrip(b"=").decode()

    @classmethod
    def read(cls, cursor: str) -> Place:
        """The place that a cursor stands for. ValueError when it is none."""
        try:
            packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            unpacking = zlib.decompressobj()
            text = unpacking.decompress(packed, _LONGEST)
            newest, following = json.loads(text if unpacking.eof else "")
            return cls(next={RunId(str(key)): int(n) for key, n in following.items()}, newest=str(newest))
        except (binascii.Error, zlib.error, ValueError, TypeError, AttributeError) as error:
            raise ValueError("this is not a cursor of a service's log") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLogWanted:
    """Which lines. Where nothing says where to begin: the last `limit`."""

    instance: int | None = None  #: only of the instance of this index
    since: str | None = None  #: from where another page ended
    start_at: datetime | None = None  #: what came at this time or later
    streams: Collection[int] = EVERY
    ansi: Ansi = Ansi.KEEP
    limit: int = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLine:
    """A line, and whose it is."""

    run: Run
    line: Line


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLines:
    """Some lines, in the order of their arrival."""

    lines: Sequence[ServiceLine]
    more: bool  #: there are more already
    place: Place  #: what follows begins there


async def read_service_log(rota: Rota, name: str, wanted: ServiceLogWanted) -> ServiceLines:
    """The lines that are wanted. Raises ServiceNotFound and Invalid."""
    check_service(rota, name)
    place = None
    if wanted.since is not None:
        try:
            place = Place.read(wanted.since)
        except ValueError as error:
            raise Invalid([Fault(location="query.since", message=str(error), value=wanted.since)]) from error
    found = await rota.store.runs(RunFilter(task_name=name, kind={Kind.SERVICE}), limit=LIVES)
    lives = [run for run in found.items if wanted.instance in (None, run.instance_index)]
    newest = max((run.id for run in found.items), default="") if place is None else place.newest
    newest = max([newest, *(run.id for run in found.items)])
    return await asyncio.to_thread(_Reading(rota, wanted, place, newest).read, lives)


class _Reading:
    def __init__(self, rota: Rota, wanted: ServiceLogWanted, place: Place | None, newest: str) -> None:
        self._data = rota.data
        self._wanted = wanted
        self._place = place
        self._newest = newest
        self._next: dict[RunId, int] = {}
        self._lines: list[ServiceLine] = []
        self._more = False

    def read(self, lives: list[Run]) -> ServiceLines:
        if self._place is None and self._wanted.start_at is None:
            self._read_last(lives)
        else:
            self._read_on(lives)
        return ServiceLines(
            lines=self._lines, more=self._more, place=Place(next=self._next, newest=self._newest)
        )

    def _read_last(self, lives: list[Run]) -> None:
        """The last lines of all lives. One that was over before the first of them has none to add."""
        limit = self._wanted.limit
        living = [run for run in lives if run.status is not Status.ENDED]
        ended = [run for run in lives if run.end_at is not None]
        for run in (*living, *sorted(ended, key=lambda run: run.end_at or run.created_at, reverse=True)):
            full = len(self._lines) >= limit
            if full and run.end_at is not None and (not limit or run.end_at < self._lines[0].line.at):
                break
            page, total = self._last_of(run)
            if run.status is not Status.ENDED:
                self._next[run.id] = total + 1
            self._lines += [ServiceLine(run=run, line=line) for line in page.lines]
            self._lines.sort(key=_arrival)
            self._lines = self._lines[max(0, len(self._lines) - limit) :]

    def _read_on(self, lives: list[Run]) -> None:
        """What comes after a place, or from a time on, the oldest lines first, as many as a page takes."""
        pages: list[tuple[Run, Page, bool]] = []
        for run in reversed(lives):
            start = self._start(run)
            if start is None:
                continue
            page, over, full = self._page_of(run, *start)
            self._more = self._more or full
            pages.append((run, page, over))
        merged = sorted(
            (ServiceLine(run=run, line=line) for run, page, _ in pages for line in page.lines), key=_arrival
        )
        self._lines, rest = merged[: self._wanted.limit], merged[self._wanted.limit :]
        self._more = self._more or bool(rest)
        cut: dict[RunId, int] = {}
        for each in rest:
            cut.setdefault(each.run.id, each.line.n)
        for run, page, over in pages:
            if run.id in cut or not over:
                self._next[run.id] = cut.get(run.id, page.next.n)

    def _last_of(self, run: Run) -> tuple[Page, int]:
        """The last lines of a life, and the number of the last of all."""
        with Log(self._data, run.id, finalized=run.status is Status.ENDED) as log:
            total = log.total_lines
            view = self._view(self._wanted.limit)
            return steady(log, lambda: read_tail(log, view, stop=total + 1)), total

    def _page_of(self, run: Run, n: int, at: int | None) -> tuple[Page, bool, bool]:
        """Lines of a life from a line or a time on; whether it is read to its end, whether there is more."""
        with Log(self._data, run.id, finalized=run.status is Status.ENDED) as log:
            first = Position(n) if at is None else position_of_time(log, at)
            page = steady(log, lambda: read_page(log, first, self._view(self._wanted.limit)))
            more = page.next.n <= log.total_lines
            return page, log.finalized and not more, more

    def _start(self, run: Run) -> tuple[int, int | None] | None:
        """The line or the time from which on a life is read; None for one that has nothing new."""
        if self._place is None:
            at = self._wanted.start_at
            if at is None or (run.end_at is not None and run.end_at < at):
                return None
            return 1, microseconds(at)
        if run.id in self._place.next:
            return self._place.next[run.id], None
        return (1, None) if run.id > self._place.newest else None

    def _view(self, limit: int) -> View:
        return View(streams=self._wanted.streams, ansi=self._wanted.ansi, limit=max(1, limit))


def _arrival(each: ServiceLine) -> tuple[datetime, str, int]:
    return each.line.at, each.run.id, each.line.n
