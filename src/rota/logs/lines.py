"""Walks over the lines of a log, from any line on or back; each with its number, time, stream and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.logs.line import PIECE, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rota.logs.entries import Entry
    from rota.logs.log import Log

#: Lines of a shorter text are found one after another.
_COUNTED = 512


def lines_from(log: Log, n: int, streams: Collection[int]) -> Iterator[Written]:
    """The complete lines of some streams, from line `n` on."""
    n = max(n, log.first_available)
    for place, entry in log.entries.walk(log.entries.of_line(n), streams):
        skipped = max(0, n - 1 - entry.lines)
        yield from _lines_of(log, place, entry, skipped)


def lines_before(log: Log, n: int, streams: Collection[int]) -> Iterator[Written]:
    """The same backwards, from the line before `n`."""
    first = log.first_available
    for place, entry in log.entries.walk_back(log.entries.of_line(n - 1) + 1, streams):
        last = log.lines_after(place)
        if last < first:
            return
        for line in _lines_back(log, entry, min(last, n - 1)):
            if line.n < first:
                return
            yield line


def line_of(log: Log, first: Entry, text: bytes, begin: int, end: int, *, n: int, at: int) -> Written:
    """A line from its place in the text of one stream, which begins with the entry `first`.

    The line may have begun before that.
    """
    start, stop = first.within + begin, first.within + end
    if begin == 0 and first.begins < first.within:
        start = max(first.begins, log.start_of(first.stream))
    if stop - start > PIECE:
        content = None
    elif start < first.within:
        content = log.read_stream(first.stream, start, first.within) + text[:end]
    else:
        content = text[begin:end]
    return Written(n, at, first.stream, start, stop, content)


def _lines_of(log: Log, place: int, entry: Entry, skipped: int) -> Iterator[Written]:
    """The lines that an entry completes, without the first `skipped`."""
    n = entry.lines + skipped + 1
    if log.lines_after(place) < n:
        return
    text = _text(log, entry)
    begin = _behind(text, skipped)
    while (end := text.find(b"\n", begin)) >= 0:
        yield line_of(log, entry, text, begin, end, n=n, at=entry.at)
        begin, n = end + 1, n + 1


def _lines_back(log: Log, entry: Entry, last: int) -> Iterator[Written]:
    """The lines that an entry completes, from line `last` back."""
    if last <= entry.lines:
        return
    text = _text(log, entry)
    end = _behind(text, last - entry.lines) - 1
    for n in range(last, entry.lines, -1):
        if end < 0:
            return  # it was dropped while this was read
        begin = text.rfind(b"\n", 0, end) + 1
        yield line_of(log, entry, text, begin, end, n=n, at=entry.at)
        end = begin - 1


def _text(log: Log, entry: Entry) -> bytes:
    """What an entry tells of; the end of a stream is as good as a newline."""
    return b"\n" if entry.ends else log.bytes_of(entry)


def _behind(text: bytes, lines: int) -> int:
    """Where the text goes on behind so many lines; by halving, since counting is faster than finding."""
    low, high = 0, len(text)
    while lines and high - low > _COUNTED:
        middle = (low + high) // 2
        counted = text.count(b"\n", low, middle)
        if counted >= lines:
            high = middle
        else:
            low, lines = middle, lines - counted
    for _ in range(lines):
        low = text.find(b"\n", low) + 1
    return low
