"""A run's log as it stands: its index searched by halving, its bytes read where they lie.

It is measured when it is opened, and again by `refresh`; between the two nothing that the keeper adds is
seen, so that all answers of one reading fit together. Where the index of an ended run is shorter than the
log (the keeper was killed between the two writes), the rest counts as standard output, and a stream whose
end was not told ends there: no byte is lost. Line numbers count from 1.

The beginning of a log may be dropped while it is read (`rota.logs.index` says how): who has read something
asks `moved`, and if so, measures and reads again.
"""

from __future__ import annotations

import contextlib
import os
from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple, Self

from rota.logs import place
from rota.logs.beginning import Beginning, beginning
from rota.logs.index import COMPLETE, ENDS_STREAM, ENTRY, LONGEST, STDERR, STDOUT, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

#: All streams, and those that share the log file.
EVERY = (STDOUT, STDERR, SYSTEM)
PROGRAM = (STDOUT, STDERR)

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


class Log:
    """One log, open for reading. `finalized` says that its run has ended: nothing more comes."""

    def __init__(self, data: Path | str, run_id: str, *, finalized: bool) -> None:
        self._data = os.fspath(data)
        self._run_id = run_id
        self._files: dict[str, int] = {}
        self._looked: dict[int, tuple[int, int]] = {}  # how far for each stream's last entry, and where it is
        self.finalized = False  #: its run has ended
        self.refresh(finalized=finalized)

    # --- measuring

    def refresh(self, *, finalized: bool) -> None:
        """Measure it anew."""
        if self.finalized and not self.moved:
            return
        self.finalized = finalized
        index = self._file(place.INDEX)
        self.beginning = Beginning() if index is None else beginning(index)
        self.first = self.beginning.entry  #: the first entry that is left
        self._indexed = 0 if index is None else os.fstat(index).st_size // ENTRY.size
        #: Entries, with those that stand for what the index of an ended run does not tell.
        self.count = self._indexed
        self._last: Entry | None = None  # it may grow: what is seen is what it was now
        self._rest: list[Entry] = []
        self._total: int | None = None
        self._starts: dict[int, int] = {}
        if self.count > self.first:
            self._last = self._read_entries(self.count - 1, self.count)[0]
        if finalized:
            self._find_rest()
            self.count += len(self._rest)

    def follow_beginning(self) -> bool:
        """Take over where it begins by now; whether that has moved. What lies behind it was read rightly."""
        if not self.moved:
            return False
        self.beginning = beginning(self._files[place.INDEX])
        self.first = min(self.beginning.entry, self.count)
        self._starts.clear()
        return True

    @property
    def moved(self) -> bool:
        """Whether more of its beginning was dropped since it was measured: what was read may be a hole."""
        index = self._files.get(place.INDEX)
        return index is not None and beginning(index) != self.beginning

    def _find_rest(self) -> None:
        """Entries for what stands after the end of the index."""
        if self._last is not None and self._last.flags & COMPLETE:
            return
        size, told = self.file_size, self._end_of_file()
        at = self._last.at if self._last is not None else 0
        if size > told:
            at = max(at, self._modified())
        while told < size:
            length = min(LONGEST, size - told)
            self._add_rest(STDOUT, told, length, at)
            told += length
        words, said = self._file(place.SYSTEM), self.size(SYSTEM)
        rest = 0 if words is None else os.fstat(words).st_size - said
        if rest > 0 and (said or not self.first):
            self._add_rest(SYSTEM, said, rest, at)
        for stream in EVERY:
            begins, end = self.open_line(stream)
            if begins < end:
                lines = self.total_lines
                self._rest.append(Entry(size, end, at, lines, begins, 0, stream, ENDS_STREAM))
                self._total = None

    def _add_rest(self, stream: int, offset: int, length: int, at: int) -> None:
        begins, within = self.open_line(stream)
        self._rest.append(Entry(offset, within, at, self.total_lines, begins, length, stream, 0))
        self._total = None

    def _end_of_file(self) -> int:
        # Also while the entries of the rest are still being made.
        last = [entry for entry in self._rest if entry.stream in PROGRAM][-1:]
        last = last or [entry for _, entry in islice(self.walk_back(self._indexed, PROGRAM), 1)]
        return last[0].offset + last[0].length if last else self.beginning.offset

    def _modified(self) -> int:
        file = self._file(place.LOG)
        return 0 if file is None else os.fstat(file).st_mtime_ns // 1000

    # --- what it holds

    @property
    def file_size(self) -> int:
        """Where the log file ends: while the run goes on, as far as the index tells."""
        if not self.finalized:
            return self._end_of_file()
        file = self._file(place.LOG)
        return 0 if file is None else os.fstat(file).st_size

    @property
    def end_of_index(self) -> object:
        """What is another value once something was added."""
        return self.count, self._last, self.beginning

    @property
    def total_lines(self) -> int:
        """The number of its last complete line."""
        if self._total is None:
            self._total = self._count_lines()
        return self._total

    @property
    def first_available(self) -> int:
        """The number of the first line that is still here; it may have lost its beginning."""
        return self.beginning.lines + 1

    def size(self, stream: int) -> int:
        """Bytes of one stream."""
        return self.open_line(stream)[1]

    def start_of(self, stream: int) -> int:
        """Where in a stream its first byte is that is still here."""
        if not self.first:
            return 0
        if stream not in self._starts:
            entry = next((entry for _, entry in self.walk(self.first, (stream,))), None)
            self._starts[stream] = (
                self._bytes_through(stream, self.count - 1) if entry is None else entry.within
            )
        return self._starts[stream]

    def open_line(self, stream: int) -> tuple[int, int]:
        """Where in its stream the line begins that is open at the end, and where the stream ends."""
        entry = self._latest(stream)
        if entry is None:
            end = self._bytes_through(stream, self.count - 1)  # all that is left is another stream's
            return end, end
        end = entry.within + entry.length
        if entry.ends:
            return end, end
        last = self.bytes_of(entry).rfind(b"\n")
        return (entry.begins if last < 0 else entry.within + last + 1), end

    def last_at(self, stream: int) -> int:
        """When the last chunk of a stream came; 0 when none did."""
        entry = self._latest(stream)
        return 0 if entry is None else entry.at

    def lines_after(self, place_: int) -> int:
        """Lines of all streams that are complete after the entry at `place_`."""
        return self.entry(place_ + 1).lines if place_ + 1 < self.count else self.total_lines

    def _count_lines(self) -> int:
        last = self._rest[-1] if self._rest else self._last
        if last is None:
            return self.beginning.lines
        return last.lines + (1 if last.ends else self.bytes_of(last).count(b"\n"))

    # --- entries

    def entry(self, place_: int) -> Entry:
        """One entry, by its place."""
        if place_ >= self._indexed:
            return self._rest[place_ - self._indexed]
        if place_ == self._indexed - 1 and self._last is not None:
            return self._last
        return self._read_entries(place_, place_ + 1)[0]

    def entries(self, start: int, stop: int) -> list[Entry]:
        """Entries one after another."""
        found = self._read_entries(start, min(stop, self._indexed - 1))
        found += [self.entry(each) for each in range(max(start, self._indexed - 1, 0), min(stop, self.count))]
        return found

    def walk(self, start: int, streams: Collection[int]) -> Iterator[tuple[int, Entry]]:
        """The entries of some streams with their places, from the place `start` on."""
        every = len(streams) == len(EVERY)
        start, block = max(start, self.first), _FEW
        while start < self.count:
            if not every:
                start = self._next_of(start, streams)
            stop = min(start + block, self.count)
            for place_, entry in enumerate(self.entries(start, stop), start):
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
            found = self.entries(start, stop)
            for place_ in range(stop - 1, start - 1, -1):
                entry = found[place_ - start]
                if every or entry.stream in streams:
                    yield place_, entry
            stop, block = start, min(2 * block, _BLOCK)

    def place_of_line(self, n: int) -> int:
        """The entry that completes line `n`: the last one before which fewer lines are complete."""
        return max(self.first, self._first_place(lambda place_: self.entry(place_).lines >= n) - 1)

    def place_of_time(self, at: int) -> int:
        """The first entry that came at `at` (microseconds) or later."""
        return self._first_place(lambda place_: self.entry(place_).at >= at)

    def _latest(self, stream: int) -> Entry | None:
        """The last entry of a stream. What was looked through once for it is not looked through again."""
        for entry in reversed(self._rest):
            if entry.stream == stream:
                return entry
        looked, known = self._looked.get(stream, (0, -1))
        found = self._last_of(self._indexed, (stream,), max(looked, self.first))
        known = max(known, found)
        self._looked[stream] = self._indexed, known
        return self.entry(known) if known >= self.first else None

    def _first_place(self, true: Callable[[int], bool]) -> int:
        low, high = self.first, self.count
        while low < high:
            middle = (low + high) // 2
            if true(middle):
                high = middle
            else:
                low = middle + 1
        return low

    def _next_of(self, start: int, streams: Collection[int]) -> int:
        for begin in range(start, self._indexed, _WIDE):
            column = self._column(begin, min(begin + _WIDE, self._indexed))
            found = [place_ for place_ in map(column.find, map(_byte, streams)) if place_ >= 0]
            if found:
                return begin + min(found)
        return max(start, self._indexed)

    def _last_of(self, stop: int, streams: Collection[int], start: int) -> int:
        if stop > self._indexed:
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
        index = self._file(place.INDEX)
        if index is None or start >= stop:
            return b""
        return _read(index, start * ENTRY.size, (stop - start) * ENTRY.size)

    # --- bytes

    def bytes_of(self, entry: Entry) -> bytes:
        """The chunk that an entry tells of."""
        return self.read_file(entry.stream, entry.offset, entry.length)

    def read_file(self, stream: int, offset: int, length: int) -> bytes:
        """Bytes by their place in the file that holds a stream; fewer where the file ends before."""
        file = self._file(place.SYSTEM if stream == SYSTEM else place.LOG)
        return _read(file, offset, length) if file is not None and length > 0 else b""

    def bytes_of_all(self, entries: Sequence[Entry]) -> bytes:
        """The chunks of entries that follow one another, as one."""
        parts = []
        for said, those in groupby(entries, lambda entry: entry.stream == SYSTEM):
            run = list(those)
            length = sum(entry.length for entry in run)
            parts.append(self.read_file(SYSTEM if said else STDOUT, run[0].offset, length))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_stream(self, stream: int, start: int, stop: int) -> bytes:
        """Bytes by their place in their stream."""
        if stream == SYSTEM:
            return self.read_file(SYSTEM, start, stop - start)
        return b"".join(
            self.read_file(stream, offset, length) for offset, length in self.ranges(stream, start, stop)
        )

    def ranges(self, stream: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Where in the file a part of a stream lies, as (offset, length) one after another."""
        pending: tuple[int, int] | None = None
        first = self._first_place(lambda place_: self._bytes_through(stream, place_) > start)
        for _, entry in self.walk(first, (stream,)):
            end = entry.within + entry.length
            if entry.within >= stop:
                break
            begin = max(start, entry.within)
            offset, length = entry.offset + begin - entry.within, min(end, stop) - begin
            if pending is not None and sum(pending) == offset:
                pending = (pending[0], pending[1] + length)
            else:
                if pending is not None:
                    yield pending
                pending = (offset, length)
        if pending is not None:
            yield pending

    def _bytes_through(self, stream: int, place_: int) -> int:
        """How much of a stream stands up to an entry's end: the file holds two, so either's place tells."""
        for back in range(place_, self.first - 1, -1):
            entry = self.entry(back)
            if entry.stream == stream:
                return entry.within + entry.length
            if stream == SYSTEM:
                return 0  # its file is its own, and tells nothing of the others'
            if entry.stream != SYSTEM:
                return entry.offset - entry.within
        return 0

    # --- files

    def _file(self, suffix: str) -> int | None:
        found = self._files.get(suffix)
        if found is None:
            with contextlib.suppress(FileNotFoundError):
                where = place.path(self._data, self._run_id, suffix)
                found = self._files[suffix] = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
        return found

    def close(self) -> None:
        """Let go of the files; twice is fine."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(file: int, offset: int, length: int) -> bytes:
    """All of it, but where the file ends."""
    data = os.pread(file, length, offset)
    while 0 < len(data) < length:  # a read gives 2 GiB at most
        more = os.pread(file, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def _byte(stream: int) -> bytes:
    return bytes((stream,))
