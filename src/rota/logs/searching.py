"""A search through the logs of runs, as far as its time and its limit allow; plain values in and out.

It works through the bytes of whole logs, so it is done in a process of its own: `rota.logs.searcher`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.line import Ansi, Line, Readable, moment
from rota.logs.log import Log
from rota.logs.pattern import Wanted, compiled
from rota.logs.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rota.logs.line import Written
    from rota.logs.pattern import Pattern

#: So much of a line that was found is shown.
SHOWN = 8 * 1024

#: Entries of the index that a search from the end looks at first; each further part has four times as many.
_LAST = 2


class Stopped(StrEnum):
    """Why a search ended before everything was looked at."""

    LIMIT = "limit"  #: enough was found
    TIME = "time"  #: its time was over


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line of a run's log."""

    run_id: str
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Searched:
    """One log to be looked through, from a line on."""

    run_id: str
    finalized: bool
    start: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What is looked for, and where."""

    data: str
    logs: Sequence[Searched]
    wanted: Wanted
    limit: int
    seconds: float
    streams: Collection[int] = EVERY
    newest: bool = False  #: the last matches of the one log, not the first
    show: bool = False  #: with the lines themselves


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was found, and how far the search got."""

    found: list[tuple[str, int]]  #: runs and line numbers
    lines: list[Line]  #: the same lines, where they were to be shown
    reached: Place | None  #: everything before it was looked at
    next: Place | None  #: the same, where the search stopped; None when everything was looked at
    bytes: int
    stopped: Stopped | None


def search(asked: Search) -> Outcome:
    """Look through the logs, one after another. Raises PatternInvalid."""
    return _Searching(asked).run()


class _Searching:
    def __init__(self, asked: Search) -> None:
        self._asked = asked
        self._pattern: Pattern = compiled(asked.wanted)
        self._until = time.monotonic() + asked.seconds
        self._found: list[tuple[str, int]] = []
        self._lines: list[Line] = []
        self._bytes = 0

    def run(self) -> Outcome:
        reached = None
        for each in self._asked.logs:
            with Log(self._asked.data, each.run_id, finalized=each.finalized) as log:
                look = self._search_back if self._asked.newest else self._search
                n, done = look(log, each)
            reached = Place(run_id=each.run_id, n=n)
            if not done:
                return self._outcome(reached, reached)
        return self._outcome(reached, None)

    def _search(self, log: Log, searched: Searched) -> tuple[int, bool]:
        """Look through one log: the line to go on at, and whether all of it was looked at."""
        scan = Scan(log, self._pattern, start=searched.start, streams=self._asked.streams)
        while True:
            if time.monotonic() >= self._until:
                return scan.next_line, False
            before = scan.bytes
            room = self._asked.limit - len(self._found)
            lines = scan.step(room)
            if lines is None:
                return scan.next_line, True
            self._bytes += scan.bytes - before
            self._take(log, searched.run_id, lines[:room])
            if len(lines) >= room:
                return lines[room - 1].n + 1, False

    def _search_back(self, log: Log, searched: Searched) -> tuple[int, bool]:
        """The same from the end back, in growing parts: the last matches."""
        asked = self._asked
        end = stop = log.total_lines + 1
        place, size = log.entries.count, _LAST
        found: list[Written] = []
        while place > log.entries.first and len(found) < asked.limit:
            if time.monotonic() >= self._until:
                break
            place, size = max(log.entries.first, place - size), size * 4
            start = max(searched.start, log.entries.entry(place).lines + 1)
            scan = Scan(log, self._pattern, start=start, stop=stop, streams=asked.streams)
            part: list[Written] = []
            while (lines := scan.step()) is not None and time.monotonic() < self._until:
                part = [*part, *lines][-asked.limit :]
            self._bytes += scan.bytes
            found, stop = part + found, start
        self._take(log, searched.run_id, found[-asked.limit :])
        return end, place <= log.entries.first or len(found) >= asked.limit

    def _take(self, log: Log, run_id: str, lines: Iterable[Written]) -> None:
        for line in lines:
            self._found.append((run_id, line.n))
            if self._asked.show:
                self._lines.append(_shown(log, line))

    def _outcome(self, reached: Place | None, next_: Place | None) -> Outcome:
        enough = len(self._found) >= self._asked.limit
        return Outcome(
            found=self._found,
            lines=self._lines,
            reached=reached,
            next=next_,
            bytes=self._bytes,
            stopped=None if next_ is None else Stopped.LIMIT if enough else Stopped.TIME,
        )


def _shown(log: Log, written: Written) -> Line:
    piece = next(Readable(log, written, Ansi.STRIP).pieces(0, SHOWN))
    return Line(
        n=written.n,
        at=moment(written.at),
        stream=written.stream,
        text=piece.text,
        continued=piece.continued,
        match=True,
    )
