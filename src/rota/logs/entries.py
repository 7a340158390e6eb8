"""The entries of a log's index: one by its place, one after another, and by halving.

An entry is found by its place, its line or its time with a few small reads, however long the log is. Those
that stand for what the index of an ended run does not tell (`rota.logs.log` says which) come after its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from rota.logs import place
from rota.logs.index import ENDS_STREAM, ENTRY, STDERR, STDOUT, SYSTEM
from rota.logs.opened import read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from rota.logs.opened import Opened

#: All streams.
EVERY = (STDOUT, STDERR, SYSTEM)

#: How many entries are read at once when one after another is wanted: at first, since often one will do, and
#: at most.
_FEW = 4
_BLOCK = 256
#: And when entries of one stream are looked for among the others'.
_WIDE = 4096
_STREAM_AT = 44  # where in an entry its stream stands


class Entry(NamedTuple):
    """What the index tells of one chunk; see `rota.logs.index`."""

    offset: int  #: in the file
    within: int  #: in the stream
    at: int  #: microseconds since the epoch
    lines: int  #: completed before it, of all streams
    begins: int  #: where in the stream the line begins that is open before it
    length: int
    stream: int
    flags: int

    @property
    def ends(self) -> bool:
        """Whether its stream ends here."""
        return bool(self.flags & ENDS_STREAM)


class Entries:
    """What stood in the index when it was measured."""

    def __init__(self, files: Opened) -> None:
        self._files = files
        self._looked: dict[int, tuple[int, int]] = {}  # how far for each stream's last entry, and where it is

    def measure(self, index: int | None, first: int) -> None:
        """Take what is in the index, as it is open, now; `first` is the first that is left."""
        self.first = first  #: the place of the first that is left
        self.indexed = 0 if index is None else os.fstat(index).st_size // ENTRY.size  #: those of the index
        self.count = self.indexed  #: with `rest`, once `take_rest` was called
        self.last: Entry | None = None  #: of the index; it may grow: what is seen is what it was now
        self.rest: list[Entry] = []  #: those that stand for what the index does not tell
        if self.count > self.first:
            self.last = self._read_entries(self.count - 1, self.count)[0]

    def take_rest(self) -> None:
        """All of `rest` is there."""
        self.count += len(self.rest)

    def entry(self, place_: int) -> Entry:
        """One entry, by its place."""
        if place_ >= self.indexed:
            return self.rest[place_ - self.indexed]
        if place_ == self.indexed - 1 and self.last is not None:
            return self.last
        return self._read_entries(place_, place_ + 1)[0]

    def between(self, start: int, stop: int) -> list[Entry]:
        """Entries one after another."""
        found = self._read_entries(start, min(stop, self.indexed - 1))
        found += [self.entry(each) for each in range(max(start, self.indexed - 1, 0), min(stop, self.count))]
        return found

    def walk(self, start: int, streams: Collection[int]) -> Iterator[tuple[int, Entry]]:
        """The entries of some streams with their places, from the place `start` on."""
        every = len(streams) == len(EVERY)
        start, block = max(start, self.first), _FEW
        while start < self.count:
            if not every:
                start = self._next_of(start, streams)
            stop = min(start + block, self.count)
            for place_, entry in enumerate(self.between(start, stop), start):
                if every or entry.stream in streams:
                    yield place_, entry
            start, block = stop, min(2 * block, _BLOCK)

    def walk_back(self, stop: int, streams: Collection[int]) -> Iterator[tuple[int, Entry]]:
        """The same backwards, from the place before `stop`."""
        every = len(streams) == len(EVERY)
        stop, block = min(stop, self.count), _FEW
        while stop > self.first:
            if not every:
                stop = self._last_of(stop, streams, self.first) + 1
            start = max(self.first, stop - block)
            found = self.between(start, stop)
            for place_ in range(stop - 1, start - 1, -1):
                entry = found[place_ - start]
                if every or entry.stream in streams:
                    yield place_, entry
            stop, block = start, min(2 * block, _BLOCK)

    def of_line(self, n: int) -> int:
        """Where the entry is that completes line `n`: the last before which fewer lines are complete."""
        return max(self.first, self.first_where(lambda place_: self.entry(place_).lines >= n) - 1)

    def of_time(self, at: int) -> int:
        """Where the first entry is that came at `at` (microseconds) or later."""
        return self.first_where(lambda place_: self.entry(place_).at >= at)

    def latest(self, stream: int) -> Entry | None:
        """The last entry of a stream. What was looked through once for it is not looked through again."""
        for entry in reversed(self.rest):
            if entry.stream == stream:
                return entry
        looked, known = self._looked.get(stream, (0, -1))
        found = self._last_of(self.indexed, (stream,), max(looked, self.first))
        known = max(known, found)
        self._looked[stream] = self.indexed, known
        return self.entry(known) if known >= self.first else None

    def first_where(self, true: Callable[[int], bool]) -> int:
        """The first place for which it is true, as for all behind it; the count if for none."""
        low, high = self.first, self.count
        while low < high:
            middle = (low + high) // 2
            if true(middle):
                high = middle
            else:
                low = middle + 1
        return low

    def _next_of(self, start: int, streams: Collection[int]) -> int:
        for begin in range(start, self.indexed, _WIDE):
            column = self._column(begin, min(begin + _WIDE, self.indexed))
            found = [place_ for place_ in map(column.find, map(_byte, streams)) if place_ >= 0]
            if found:
                return begin + min(found)
        return max(start, self.indexed)

    def _last_of(self, stop: int, streams: Collection[int], start: int) -> int:
        if stop > self.indexed:
            return stop - 1
        for end in range(stop, start, -_WIDE):
            begin = max(start, end - _WIDE)
            column = self._column(begin, end)
            found = max(column.rfind(_byte(stream)) for stream in streams)
            if found >= 0:
                return begin + found
        return -1

    def _column(self, start: int, stop: int) -> bytes:
        """The stream of each entry, a byte each."""
        return self._read_index(start, stop)[_STREAM_AT :: ENTRY.size]

    def _read_entries(self, start: int, stop: int) -> list[Entry]:
        return list(map(Entry._make, ENTRY.iter_unpack(self._read_index(start, stop))))

    def _read_index(self, start: int, stop: int) -> bytes:
        index = self._files.file(place.INDEX)
        if index is None or start >= stop:
            return b""
        return read_all(index, start * ENTRY.size, (stop - start) * ENTRY.size)


def _byte(stream: int) -> bytes:
    return bytes((stream,))
