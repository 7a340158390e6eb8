"""Walks over the lines of a log, from any line on or back; each with its number, time, stream and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.logs.line import PIECE, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rota.logs.log import Entry, Log


def lines_from(log: Log, n: int, streams: Collection[int]) -> Iterator[Written]:
    """The complete lines of some streams, from line `n` on."""
    n = max(n, log.first_available)
    for place, entry in log.walk(log.place_of_line(n), streams):
        skipped = max(0, n - 1 - entry.lines)
        yield from _lines_of(log, place, entry, skipped)


def lines_before(log: Log, n: int, streams: Collection[int]) -> Iterator[Written]:
    """The same backwards, from the line before `n`."""
    first = log.first_available
    for place, entry in log.walk_back(log.place_of_line(n - 1) + 1, streams):
        if log.lines_after(place) < first:
            return
        for line in reversed(list(_lines_of(log, place, entry, 0))):
            if line.n < first:
                return
            if line.n < n:
                yield line


def _lines_of(log: Log, place: int, entry: Entry, skipped: int) -> Iterator[Written]:
    """The lines that an entry completes, without the first `skipped`."""
    if log.lines_after(place) <= entry.lines + skipped:
        return
    if entry.ends:
        yield _line(log, entry, entry.lines + 1, entry.begins, entry.within, b"")
        return
    parts = log.bytes_of(entry).split(b"\n")
    stop = entry.within
    if skipped:
        stop += sum(map(len, parts[:skipped])) + skipped
    elif entry.begins < entry.within:
        stop += len(parts[0])
        yield _line(log, entry, entry.lines + 1, entry.begins, stop, parts[0])
        stop += 1
        skipped = 1
    for number in range(skipped, len(parts) - 1):
        start, content = stop, parts[number]
        stop += len(content)
        kept = content if len(content) <= PIECE else None
        yield Written(entry.lines + number + 1, entry.at, entry.stream, start, stop, kept)
        stop += 1


def _line(log: Log, entry: Entry, n: int, start: int, stop: int, end: bytes) -> Written:
    """A line that began in an earlier chunk; `end` is what this one has of it."""
    content = None
    start = max(start, log.start_of(entry.stream))
    if stop - start <= PIECE:
        content = log.read_stream(entry.stream, start, stop - len(end)) + end
    return Written(n, entry.at, entry.stream, start, stop, content)
