"""Pages of a log: from a line on, from a time on, its last lines, or around what was found."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from rota.logs.entries import EVERY
from rota.logs.line import PIECE, Ansi, Line, Readable, Written, moment
from rota.logs.lines import lines_before, lines_from
from rota.logs.settle import settle, strip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from rota.logs.log import Log

#: A page is full when so many bytes were read for it: a line that draws itself anew is longer than it looks.
MOST_READ = 16 * 1024 * 1024

#: How often a page is read again all of whose lines were dropped meanwhile.
_TRIES = 5

_TAG = 12  # how much of the run's id a cursor carries


class Position(NamedTuple):
    """Where a reader goes on: at this line, or within it."""

    n: int
    offset: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a reader wants to see the lines."""

    streams: Collection[int] = EVERY
    ansi: Ansi = Ansi.KEEP
    limit: int = 500  #: lines, or pieces of lines
    max_bytes: int = 1024 * 1024  #: of text; a page has one piece at least


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLine:
    """What a stream has written of a line that is not complete yet, as it looks now."""

    at: int
    stream: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some lines, and where what follows them begins."""

    lines: list[Line]
    next: Position


def steady(log: Log, read: Callable[[], Page]) -> Page:
    """What `read` gives. The beginning may be dropped meanwhile: what is left by now was read rightly."""
    for _ in range(_TRIES):
        page = read()
        if not log.follow_beginning():
            return page
        left = [line for line in page.lines if line.n >= log.first_available]
        if left:
            break
    return replace(page, lines=left)


def read_page(log: Log, start: Position, view: View, *, stop: int | None = None) -> Page:
    """The lines from a position on, before line `stop`."""
    last = log.total_lines if stop is None else min(log.total_lines, stop - 1)
    page = _Filling(log, view)
    for line in lines_from(log, start.n, view.streams):
        if line.n > last:
            break
        if not page.take(line, start.offset if line.n == start.n else 0):
            break
    return Page(lines=page.lines, next=page.stopped_at or Position(max(start.n, last + 1)))


def read_tail(log: Log, view: View, *, stop: int | None = None) -> Page:
    """The last lines before line `stop`, as many as the view has room for."""
    end = log.total_lines + 1 if stop is None else min(log.total_lines + 1, stop)
    page = _Filling(log, view)
    for line in lines_before(log, end, view.streams):
        if not page.take_back(line):
            break
    return Page(lines=page.lines[::-1], next=Position(end))


def read_around(
    log: Log,
    found: Collection[int],
    view: View,
    *,
    start: Position,
    before: int,
    after: int,
    matches: Collection[int],
    stop: int | None,
) -> Page:
    """The lines of these numbers, and so many before and after each, from a position up to line `stop`.

    `matches` are the numbers of all lines nearby that match; the view's limit is for those that were found.
    """
    page = _Filling(log, replace(view, limit=len(found) * (1 + before + after)), matches=frozenset(matches))
    nearby = {line.n: line for n in found for line in _around(log, n, view.streams, before, after)}
    n = start.n
    for n in sorted(nearby):
        if n < start.n or (stop is not None and n >= stop):
            continue
        if not page.take(nearby[n], start.offset if n == start.n else 0):
            break
    end = Position(max(start.n, n + 1 if stop is None else stop))
    return Page(lines=page.lines, next=page.stopped_at or end)


def open_lines(log: Log, ansi: Ansi) -> list[OpenLine]:
    """The lines that are still being written, a stream each."""
    found = []
    for stream in EVERY:
        start, stop = log.open_line(stream)
        if start < stop:
            body = settle(log.read_stream(stream, max(start, stop - PIECE), stop))
            body = strip(body) if ansi is Ansi.STRIP else body
            found.append(
                OpenLine(at=log.last_at(stream), stream=stream, text=body.decode("utf-8", "replace"))
            )
    return found


def position_of_time(log: Log, at: int) -> Position:
    """The first line that came at `at` (microseconds since the epoch) or later."""
    place = log.entries.of_time(at)
    return Position(log.entries.entry(place).lines + 1 if place < log.entries.count else log.total_lines + 1)


def write_cursor(run_id: str, position: Position) -> str:
    """A position in a log, and in which."""
    text = f"{run_id[-_TAG:]}.{position.n}.{position.offset}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(run_id: str, cursor: str) -> Position:
    """The position that a cursor stands for; ValueError when it is of another log, or none of ours."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        tag, *numbers = text.decode("ascii").split(".")
        n, offset = (int(number[:18]) for number in numbers if number.isdecimal())
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            "this is not a cursor; take next_cursor of the page before, or leave it out"
        ) from error
    if tag != run_id[-_TAG:]:
        raise ValueError("this cursor is of another run's log")
    return Position(max(1, n), offset)


def _around(log: Log, n: int, streams: Collection[int], before: int, after: int) -> Iterator[Written]:
    if before:
        yield from _first(before, lines_before(log, n, streams))
    yield from _first(after + 1, lines_from(log, n, streams))


def _first(count: int, lines: Iterable[Written]) -> Iterator[Written]:
    for _, line in zip(range(count), lines, strict=False):
        yield line


class _Filling:
    """A page that is being filled."""

    def __init__(self, log: Log, view: View, matches: Collection[int] | None = None) -> None:
        self.lines: list[Line] = []
        self.stopped_at: Position | None = None  #: set once it is full: the first piece that did not fit
        self._log = log
        self._view = view
        self._matches = matches
        self._bytes = 0
        self._read = 0
        self._size = min(PIECE, view.max_bytes)

    def take(self, line: Written, offset: int = 0) -> bool:
        """Add the line, from `offset` on; False once there is no room for all of it."""
        if self._full(0):
            self.stopped_at = Position(line.n, offset)
            return False
        text = Readable(self._log, line, self._view.ansi)
        if offset and offset >= text.length:
            return True
        for piece in text.pieces(offset, self._size):
            if self._full(piece.stop - piece.start):
                self.stopped_at = Position(line.n, piece.start)
                return False
            self._add(line, piece.stop - piece.start, piece.text, piece.continued)
        self._read += min(line.stop - line.start, PIECE)
        return True

    def take_back(self, line: Written) -> bool:
        """Add the line before those that are there, its last piece first; False once there is no room."""
        text = Readable(self._log, line, self._view.ansi)
        for piece in text.pieces_back(self._size):
            if self._full(piece.stop - piece.start):
                return False
            self._add(line, piece.stop - piece.start, piece.text, piece.continued)
        self._read += min(line.stop - line.start, PIECE)
        return True

    def _full(self, more: int) -> bool:
        view = self._view
        if len(self.lines) >= view.limit:
            return True
        return bool(self.lines) and (self._bytes + more > view.max_bytes or self._read >= MOST_READ)

    def _add(self, line: Written, size: int, text: str, continued: bool) -> None:
        self._bytes += size
        match = None if self._matches is None else line.n in self._matches
        self.lines.append(
            Line(
                n=line.n, at=moment(line.at), stream=line.stream, text=text, continued=continued, match=match
            )
        )
