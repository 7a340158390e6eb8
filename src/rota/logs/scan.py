"""Scans a log for lines that match: each stream by itself, many lines at once, a stretch at a time."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, chain, compress, islice
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.lines import line_of
from rota.logs.pattern import found_in, found_lines
from rota.logs.settle import LONG, as_read, draws_anew, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rota.logs.entries import Entry
    from rota.logs.line import Written
    from rota.logs.log import Log
    from rota.logs.pattern import Pattern

#: Bytes of the log, and entries of its index, that one step looks at: a few milliseconds.
_BYTES = 512 * 1024
_ENTRIES = 4096
_AT_ONCE = 8  # entries of a log that was written fast are large, and few of them are a stretch

#: An open line that is longer is looked at in parts, each of which begins with the end of the one before.
_KEPT = 1024 * 1024


class Scan:
    """One scan; each step gives the lines that match in one stretch of the log, in order.

    It stops where the log stood when it was opened. Where the beginning of the log is dropped meanwhile, it
    goes on behind that.
    """

    def __init__(
        self,
        log: Log,
        pattern: Pattern,
        *,
        start: int = 1,
        stop: int | None = None,
        streams: Collection[int] = EVERY,
    ) -> None:
        """From line `start` on, before line `stop`."""
        self._log = log
        self._pattern = pattern
        self._streams = frozenset(streams)
        self._wanted = range(start, log.total_lines + 1 if stop is None else stop)
        self._place = log.entries.of_line(start)
        self._end = min(log.entries.count, log.entries.of_line(self._wanted.stop - 1) + 1)
        self._open: dict[int, _OpenLine] = {}
        self.bytes = 0  #: that were looked at
        self.next_line = max(start, log.first_available)  #: every line before it was looked at

    def step(self, most: int | None = None) -> list[Written] | None:
        """The lines that match in the next stretch, the first `most` at least; None when there is no more."""
        log = self._log
        if log.follow_beginning():
            self._skip_to(log.entries.first)
        if self._place >= self._end:
            return None
        entries = self._stretch()
        after = log.lines_after(self._place + len(entries) - 1)
        text = log.bytes_of_all(entries)
        if log.follow_beginning():
            # Of what was read, only what is left by now was not a hole.
            dropped = min(len(entries), max(0, log.entries.first - self._place))
            text = text[sum(entry.length for entry in entries[:dropped]) :]
            entries = entries[dropped:]
            self._skip_to(log.entries.first)
        found = [
            line for stream in self._streams for line in islice(self._found(stream, entries, text), most)
        ]
        self._place += len(entries)
        self.bytes += len(text)
        self.next_line = min(max(self.next_line, after + 1), max(self.next_line, self._wanted.stop))
        return sorted(found)

    def _skip_to(self, place: int) -> None:
        if place > self._place:
            self._place = place
            self._open.clear()

    def _stretch(self) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        for place in range(self._place, min(self._place + _ENTRIES, self._end), _AT_ONCE):
            for entry in self._log.entries.between(place, min(place + _AT_ONCE, self._end)):
                entries.append(entry)
                size += entry.length
                if size >= _BYTES:
                    return entries
        return entries

    def _found(self, stream: int, entries: list[Entry], text: bytes) -> Iterator[Written]:
        """The wanted lines of one stream that these entries complete and that match."""
        is_own = [entry.stream == stream for entry in entries]
        own = list(compress(entries, is_own))
        if not own:
            return iter(())
        if len(own) < len(entries) or any(entry.ends for entry in own):
            text = _joined(entries, is_own, text)
        line = self._open.get(stream)
        if line is None:
            line = self._open[stream] = _OpenLine(self._pattern)
            line.begin(self._log, own[0])
        lines = _lines(self._log, own, text, line.go_on(text))
        return (line for line in lines if line.n in self._wanted)


def _lines(log: Log, own: list[Entry], text: bytes, ends: Iterable[int]) -> Iterator[Written]:
    """The lines that end at these places in the text of some entries of one stream."""
    begins = list(accumulate((entry.length + entry.ends for entry in own), initial=0))
    counted = n = 0
    for end in ends:
        entry = own[which := bisect_right(begins, end) - 1]
        if begins[which] >= counted:
            counted, n = begins[which], entry.lines
        n += 1 + text.count(b"\n", counted, end)
        counted = end + 1
        yield line_of(log, own[0], text, text.rfind(b"\n", 0, end) + 1, end, n=n, at=entry.at)


def _joined(entries: list[Entry], is_own: list[bool], text: bytes) -> bytes:
    """The part of the text that belongs to one stream; its end is as good as a newline."""
    begins = accumulate((entry.length for entry in entries), initial=0)
    return b"".join(
        text[begin : begin + entry.length] + (b"\n" if entry.ends else b"")
        for entry, begin in compress(zip(entries, begins, strict=False), is_own)
    )


class _OpenLine:
    """What a stream has of a line that is not complete yet; of a very long one, only its end."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._kept = b""
        self._is_cut = False
        self._found = False  # in what is not kept

    def begin(self, log: Log, entry: Entry) -> None:
        """Take up the line that is open before an entry."""
        start = max(entry.begins, log.start_of(entry.stream))
        for begin in range(start, entry.within, _KEPT):
            self._keep(log.read_stream(entry.stream, begin, min(begin + _KEPT, entry.within)))

    def go_on(self, text: bytes) -> Iterator[int]:
        """Where in this text the lines end that it completes and that match."""
        end = text.rfind(b"\n") + 1
        if not end:
            self._keep(text)
            return iter(())
        first = text.find(b"\n")
        ends = [first] if self._complete(text[:first]) else []
        self._keep(text[end:])
        return chain(ends, found_lines(self._pattern, text, first + 1, end))

    def _keep(self, text: bytes) -> None:
        self._kept += text
        if len(self._kept) > _KEPT:
            self._found = self._found or found_in(self._pattern, self._kept)
            self._is_cut = True
            self._kept = self._kept[-LONG:]

    def _complete(self, rest: bytes) -> bool:
        line, is_cut, found = self._kept + rest, self._is_cut, self._found
        self._kept, self._is_cut, self._found = b"", False, False
        if not is_cut:
            return found_in(self._pattern, as_read(line))
        if draws_anew(line[-LONG:]):
            return found_in(self._pattern, settle(line[-LONG:]))
        return found or found_in(self._pattern, line)
