"""A run's log as it stands: how long it is, where it begins, and its bytes, read where they lie.

It is measured when it is opened, and again by `refresh`; between the two nothing that the keeper adds is
seen, so that all answers of one reading fit together. Where the index of an ended run is shorter than the
log (the keeper was killed between the two writes), the rest counts as standard output, and a stream whose
end was not told ends there: no byte is lost. Line numbers count from 1.

The beginning of a log may be dropped while it is read (`rota.logs.index` says how): who has read something
asks `moved`, and if so, measures and reads again.
"""

from __future__ import annotations

import os
from itertools import groupby, islice
from typing import TYPE_CHECKING, Self

from rota.logs import place
from rota.logs.beginning import Beginning, beginning
from rota.logs.entries import EVERY, Entries, Entry
from rota.logs.index import COMPLETE, ENDS_STREAM, LONGEST, STDERR, STDOUT, SYSTEM
from rota.logs.opened import Opened, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: The streams that share the log file.
PROGRAM = (STDOUT, STDERR)


class Log:
    """One log, open for reading. `finalized` says that its run has ended: nothing more comes."""

    def __init__(self, data: Path | str, run_id: str, *, finalized: bool) -> None:
        self._files = Opened(data, run_id)
        self.entries = Entries(self._files)
        self.finalized = False  #: its run has ended
        self.refresh(finalized=finalized)

    # --- measuring

    def refresh(self, *, finalized: bool) -> None:
        """Measure it anew."""
        if self.finalized and not self.moved:
            return
        self.finalized = finalized
        index = self._files.file(place.INDEX)
        self.beginning = Beginning() if index is None else beginning(index)
        self.entries.measure(index, self.beginning.entry)
        self._total: int | None = None
        self._starts: dict[int, int] = {}
        if finalized:
            self._find_rest()
            self.entries.take_rest()

    def follow_beginning(self) -> bool:
        """Take over where it begins by now; whether that has moved. What lies behind it was read rightly."""
        if not self.moved:
            return False
        self.beginning = beginning(self._files.files[place.INDEX])
        self.entries.first = min(self.beginning.entry, self.entries.count)
        self._starts.clear()
        return True

    @property
    def moved(self) -> bool:
        """Whether more of its beginning was dropped since it was measured: what was read may be a hole."""
        index = self._files.files.get(place.INDEX)
        return index is not None and beginning(index) != self.beginning

    def _find_rest(self) -> None:
        """Entries for what stands after the end of the index."""
        if self.entries.last is not None and self.entries.last.flags & COMPLETE:
            return
        size, told = self.file_size, self._end_of_file()
        at = self.entries.last.at if self.entries.last is not None else 0
        if size > told:
            at = max(at, self._modified())
        while told < size:
            length = min(LONGEST, size - told)
            self._add_rest(STDOUT, told, length, at)
            told += length
        words, said = self._files.file(place.SYSTEM), self.size(SYSTEM)
        rest = 0 if words is None else os.fstat(words).st_size - said
        if rest > 0 and (said or not self.entries.first):
            self._add_rest(SYSTEM, said, rest, at)
        for stream in EVERY:
            begins, end = self.open_line(stream)
            if begins < end:
                lines = self.total_lines
                self.entries.rest.append(Entry(size, end, at, lines, begins, 0, stream, ENDS_STREAM))
                self._total = None

    def _add_rest(self, stream: int, offset: int, length: int, at: int) -> None:
        begins, within = self.open_line(stream)
        self.entries.rest.append(Entry(offset, within, at, self.total_lines, begins, length, stream, 0))
        self._total = None

    def _end_of_file(self) -> int:
        # Also while the entries of the rest are still being made.
        entries = self.entries
        last = [entry for entry in entries.rest if entry.stream in PROGRAM][-1:]
        last = last or [entry for _, entry in islice(entries.walk_back(entries.indexed, PROGRAM), 1)]
        return last[0].offset + last[0].length if last else self.beginning.offset

    def _modified(self) -> int:
        file = self._files.file(place.LOG)
        return 0 if file is None else os.fstat(file).st_mtime_ns // 1000

    # --- what it holds

    @property
    def file_size(self) -> int:
        """Where the log file ends: while the run goes on, as far as the index tells."""
        if not self.finalized:
            return self._end_of_file()
        file = self._files.file(place.LOG)
        return 0 if file is None else os.fstat(file).st_size

    @property
    def end_of_index(self) -> object:
        """What is another value once something was added."""
        return self.entries.count, self.entries.last, self.beginning

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
        if not self.entries.first:
            return 0
        if stream not in self._starts:
            entry = next((entry for _, entry in self.entries.walk(self.entries.first, (stream,))), None)
            self._starts[stream] = (
                self._bytes_through(stream, self.entries.count - 1) if entry is None else entry.within
            )
        return self._starts[stream]

    def open_line(self, stream: int) -> tuple[int, int]:
        """Where in its stream the line begins that is open at the end, and where the stream ends."""
        entry = self.entries.latest(stream)
        if entry is None:
            end = self._bytes_through(stream, self.entries.count - 1)  # all that is left is another stream's
            return end, end
        end = entry.within + entry.length
        if entry.ends:
            return end, end
        last = self.bytes_of(entry).rfind(b"\n")
        return (entry.begins if last < 0 else entry.within + last + 1), end

    def last_at(self, stream: int) -> int:
        """When the last chunk of a stream came; 0 when none did."""
        entry = self.entries.latest(stream)
        return 0 if entry is None else entry.at

    def lines_after(self, place_: int) -> int:
        """Lines of all streams that are complete after the entry at `place_`."""
        return self.entries.entry(place_ + 1).lines if place_ + 1 < self.entries.count else self.total_lines

    def _count_lines(self) -> int:
        last = self.entries.rest[-1] if self.entries.rest else self.entries.last
        if last is None:
            return self.beginning.lines
        return last.lines + (1 if last.ends else self.bytes_of(last).count(b"\n"))

    # --- bytes

    def bytes_of(self, entry: Entry) -> bytes:
        """The chunk that an entry tells of."""
        return self.read_file(entry.stream, entry.offset, entry.length)

    def read_file(self, stream: int, offset: int, length: int) -> bytes:
        """Bytes by their place in the file that holds a stream; fewer where the file ends before."""
        file = self._files.file(place.SYSTEM if stream == SYSTEM else place.LOG)
        return read_all(file, offset, length) if file is not None and length > 0 else b""

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
        first = self.entries.first_where(lambda place_: self._bytes_through(stream, place_) > start)
        for _, entry in self.entries.walk(first, (stream,)):
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
        for back in range(place_, self.entries.first - 1, -1):
            entry = self.entries.entry(back)
            if entry.stream == stream:
                return entry.within + entry.length
            if stream == SYSTEM:
                return 0  # its file is its own, and tells nothing of the others'
            if entry.stream != SYSTEM:
                return entry.offset - entry.within
        return 0

    def close(self) -> None:
        """Let go of the files; twice is fine."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
