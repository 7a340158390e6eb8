"""Lines: as they were written, and as readers get them, whole or in marked pieces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rota.logs.index import STREAMS
from rota.logs.settle import ESCAPE, LONG, draws_anew, settle, strip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.logs.log import Log

#: A longer line comes in pieces of this size.
PIECE = LONG

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: No escape sequence that is kept together over the border of two pieces is longer.
_LONGEST_ESCAPE = 128


class Stream(StrEnum):
    """Where a line comes from."""

    STDOUT = "stdout"  #: the program's standard output
    STDERR = "stderr"  #: its standard error
    SYSTEM = "system"  #: Rota's own words

    @property
    def number(self) -> int:
        """How the index says it."""
        return STREAMS.index(self)


class Ansi(StrEnum):
    """What becomes of escape sequences, such as colours."""

    KEEP = "keep"  #: they stay in the text
    STRIP = "strip"  #: they are taken out


class Written(NamedTuple):
    """A line as it was written: where it lies in its stream, without its newline."""

    n: int
    at: int  #: microseconds since the epoch
    stream: int
    start: int
    stop: int
    content: bytes | None  #: None when it is longer than a piece


class Piece(NamedTuple):
    """Some of a line's text."""

    start: int  #: where in the line it begins
    stop: int  #: where in the line it ends
    text: str
    continued: bool  #: the line goes on after it


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line, or a piece of one, as readers get it."""

    n: int  #: counts from 1, over all streams
    at: datetime  #: when its newline, or its stream's end, arrived
    stream: int
    text: str
    continued: bool  #: the line goes on in the next piece, which has the same number
    match: bool | None = None  #: whether it is what was looked for; None when nothing was


@lru_cache(maxsize=16)  # lines come thousands at once
def moment(at: int) -> datetime:
    """Microseconds since the epoch as a time."""
    return _EPOCH + timedelta(microseconds=at)


def microseconds(at: datetime) -> int:
    """A time as microseconds since the epoch."""
    return (at - _EPOCH) // timedelta(microseconds=1)


class Readable:
    """A line's text. Of an over-long one only the piece that is asked for is read."""

    def __init__(self, log: Log, line: Written, ansi: Ansi) -> None:
        self._log = log
        self._line = line
        self._ansi = ansi
        self._body = self._settled()
        self.length = line.stop - line.start if self._body is None else len(self._body)

    def pieces(self, offset: int, size: int) -> Iterator[Piece]:
        """Pieces of at most `size` bytes, from `offset` on. An empty line is one empty piece."""
        while True:
            stop = self._border(offset, offset + size)
            yield self._piece(offset, stop)
            offset = stop
            if stop >= self.length:
                return

    def pieces_back(self, size: int) -> Iterator[Piece]:
        """The same from the last piece back, cut at multiples of `size`."""
        stop = self.length
        for multiple in range(max(0, self.length - 1) // size * size, -1, -size):
            start = self._border(0, multiple)
            yield self._piece(start, stop)
            stop = start

    def _settled(self) -> bytes | None:
        line = self._line
        body = line.content
        if body is None:
            end = self._log.read_stream(line.stream, max(line.start, line.stop - PIECE), line.stop)
            if not draws_anew(end):
                return None
            body = end
        body = settle(body)
        return strip(body) if self._ansi is Ansi.STRIP else body

    def _piece(self, start: int, stop: int) -> Piece:
        body = self._read(start, stop)
        if self._body is None:
            if stop >= self.length:
                body = body.rstrip(b"\r")
            if self._ansi is Ansi.STRIP:
                body = strip(body)
        return Piece(start, stop, body.decode("utf-8", "replace"), stop < self.length)

    def _read(self, start: int, stop: int) -> bytes:
        if self._body is not None:
            return self._body[start:stop]
        line = self._line
        return self._log.read_stream(line.stream, line.start + start, line.start + stop)

    def _border(self, start: int, wanted: int) -> int:
        """The last place up to `wanted` that is neither within a character nor within an escape sequence."""
        if wanted >= self.length:
            return self.length
        if wanted <= 0:
            return 0
        begin = max(start, wanted - _LONGEST_ESCAPE)
        around = self._read(begin, min(self.length, wanted + _LONGEST_ESCAPE))
        place = wanted - begin
        while place and wanted - begin - place < 3 and around[place] & 0xC0 == 0x80:
            place -= 1
        escape = around.rfind(b"\x1b", 0, place)
        if escape > 0:
            found = ESCAPE.match(around, escape)
            if found is None or found.end() > place:
                place = escape
        return begin + place if place > 0 else wanted
