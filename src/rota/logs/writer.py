"""Writes a run's log: the program's bytes as they came, an index beside them, Rota's words apart.

The keeper owns one writer per run and calls it from its pump. Files are made at the first byte, so a
silent run has none. A full disk or a full log costs output and never the run: what was not written is
counted, and told by a line of Rota's own.

Between the read and the write of a stream there may be a transform (it hides secrets). It may hold back a
tail until more comes or the stream ends; everything here counts what it gives out. Standard library only.
"""

from __future__ import annotations

import sys

from rota.logs import place
from rota.logs.files import LogFiles
from rota.logs.front import Front
from rota.logs.index import COMPLETE, ENDS_STREAM, ENTRY, LONGEST, SYSTEM
from rota.logs.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    class Transform(Protocol):
        """What becomes of one stream's bytes on their way into the log."""

        def feed(self, data: bytes) -> bytes:
            """Take in more, give out what cannot be the beginning of something any longer."""

        def end(self) -> bytes:
            """No more comes: give out the rest."""

        def state(self) -> list[Any]:
            """What a successor has to know."""

        def restore(self, state: list[Any]) -> None:
            """Go on from there."""


#: Chunks of one stream that arrive within this many microseconds share an index entry.
SHARED = 1000

#: Bytes of Rota's own words beyond which nothing is quoted; of a small cap, an eighth.
QUOTABLE = 1 << 20

#: What a full log does: drop its oldest, what comes next, or have the run ended.
DROP_OLD, DROP_NEW, KILL = "drop_old", "drop_new", "kill"

# Bytes of the cap that are kept for the entries which do not come with a chunk: ends of streams, words.
_RESERVE = 16 * ENTRY.size
# Bytes that are taken at once: as many as a read gives, and of a small cap so little a part that the newest
# nearly fill it, since a log is cut where an entry begins.
_PIECE = 64 * 1024
_SMALL = 4096
_PARTS = 32


class LogWriter:
    """The log of one run, while it is written."""

    __slots__ = (
        "_begins", "_cap", "_entry", "_files", "_front", "_full", "_full_at", "_lost", "_lost_lines",
        "_on_full", "_overflowed", "_piece", "_place", "_quotable", "_room", "_sizes", "_transforms", "_why",
        "lines", "size", "written",
    )  # fmt: skip

    def __init__(
        self,
        data: str,
        run_id: str,
        room: Room | None = None,
        *,
        cap: int | None = None,
        on_full: str = DROP_OLD,
        overflowed: Callable[[], None] | None = None,
        transforms: tuple[Transform | None, Transform | None] = (None, None),
    ) -> None:
        """`cap` is for log and index together; `overflowed` is called once, if `on_full` says kill."""
        self._files = LogFiles(data, run_id)
        self._room = room or Room(data)
        self._cap = cap
        self._piece = _PIECE if cap is None else min(_PIECE, max(_SMALL, cap // _PARTS))
        self._on_full = on_full
        self._overflowed = overflowed
        self._transforms = transforms
        self._front = Front()
        self._full = False  # nothing more is written
        self._full_at = sys.maxsize  # the sum of the log's and the index's length at which the cap is met
        self._sizes = [0, 0, 0]  # bytes of each stream
        self._begins = [0, 0, 0]  # where in each stream its open line begins
        self._lost = [0, 0]  # bytes that were not written, and not yet told
        self._lost_lines = [0, 0]
        self._why = ""  # they were not
        self._entry: tuple[int, int, int, int, int, int, int, int] | None = None
        self._place = 0  # of the last entry in the index
        self._quotable = QUOTABLE if cap is None else min(QUOTABLE, cap // 8)
        self.lines = 0  #: complete lines of all streams
        self.written = 0  #: bytes that ever went into the log file
        self.size = 0  #: bytes on the disk, once it is closed
        self._limit()

    @property
    def is_open(self) -> bool:
        """Whether the files for the program's bytes are open."""
        return place.LOG in self._files.open and place.INDEX in self._files.open

    def ready(self) -> bool:
        """Whether bytes can be taken now; False while there are no descriptors to open the files with."""
        return self._files.ready(place.LOG) and self._files.ready(place.INDEX)

    def append(self, stream: int, buffer: bytearray, length: int, at: int) -> None:
        """Add the first `length` bytes of `buffer`, which came from `stream` at `at` (microseconds)."""
        transform = self._transforms[stream]
        if transform is not None:
            self._take_all(stream, transform.feed(bytes(buffer[:length])), at)
        elif length <= self._piece:
            self._take(stream, buffer, length, at)
        else:
            self._take_all(stream, bytes(buffer[:length]), at)

    def say(self, text: str, at: int) -> bool:
        """Add to Rota's own words, apart from the program's bytes; False when there is no room for them.

        They are one line until the program writes again: however much is said of a run's end, one line
        follows its last output.
        """
        words = " ".join(text.split()).encode("utf-8", "surrogateescape")
        return self._speak(b"; " + words if self._is_speaking else words, 0, None, at)

    def quote(self, text: str, at: int) -> None:
        """Add one line of Rota's own that is complete at once, with every blank: what was sent to the run.

        So much may be quoted and no more, since no cap gives it back to the disk.
        """
        self._stop_speaking(at)
        left = self._quotable - self._sizes[SYSTEM]
        line = text.encode("utf-8", "backslashreplace") + b"\n"
        if len(line) > left:
            line = b"what is sent from here on is not said here any more\n"
            self._quotable = 0
        if left > 0:
            self._speak(line, 1, len(line), at)

    def end_stream(self, stream: int, at: int) -> None:
        """No more comes from this stream: an open line of it is complete now."""
        transform = self._transforms[stream]
        if transform is not None:
            self._take_all(stream, transform.end(), at)
        if self._begins[stream] < self._sizes[stream]:
            self._note(stream, self.written, 0, 1, 0, at, ENDS_STREAM)

    def end(self, at: int) -> None:
        """The run is over: tell what was dropped, and complete the last line of Rota's own."""
        self._tell_loss(at)
        front = self._front
        if front.first:
            told = f"the first {front.offset} bytes ({front.lines} lines) were dropped"
            self.say(f"{told}: the log may have {self._cap} (log_max_size)", at)
        self._stop_speaking(at)
        if place.INDEX in self._files.open and not self._is_speaking:
            self._note(SYSTEM, self._sizes[SYSTEM], 0, 0, None, at, COMPLETE)

    def close(self) -> None:
        """Close the files; the writer may be closed twice."""
        if self._files.open:
            self.size = self._files.size()
        self._files.close()
        self._overflowed = None  # it points to the run, which points here: see `Child._finish`

    def state(self) -> dict[str, Any]:
        """Everything that a keeper which re-executes itself hands to its successor."""
        return {
            "files": self._files.open,
            "sizes": self._sizes,
            "begins": self._begins,
            "lost": self._lost,
            "lost_lines": self._lost_lines,
            "why": self._why,
            "full": self._full,
            "on_full": self._on_full,
            "front": self._front.state(),
            "transforms": [None if each is None else each.state() for each in self._transforms],
            "quotable": self._quotable,
            "entry": self._entry,
            "place": self._place,
            "lines": self.lines,
            "written": self.written,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`. What is missing in it, the keeper before did not know."""
        self._files.open.update(state["files"])
        self._sizes = list(state["sizes"])
        self._begins = list(state["begins"])
        self._lost = list(state["lost"])
        self._lost_lines = list(state.get("lost_lines", (0, 0)))
        self._why = state.get("why", "")
        self._full = state.get("full", False)
        self._on_full = state.get("on_full", self._on_full)
        if "front" in state:
            self._front.restore(state["front"])
        for transform, left in zip(self._transforms, state.get("transforms", (None, None)), strict=True):
            if transform is not None and left is not None:
                transform.restore(left)
        self._quotable = state.get("quotable", self._quotable)
        self._entry = tuple(state["entry"]) if state["entry"] else None
        self._place = state["place"]
        self.lines = state["lines"]
        self.written = state["written"]
        self._limit()

    def descriptors(self) -> Iterable[int]:
        """The open files."""
        return self._files.descriptors()

    # --- the program's bytes

    def _take_all(self, stream: int, data: bytes, at: int) -> None:
        for start in range(0, len(data), self._piece):
            piece = data[start : start + self._piece]
            self._take(stream, piece, len(piece), at)

    def _take(self, stream: int, buffer: bytes | bytearray, length: int, at: int) -> None:
        room = self._room
        if not room.is_known(at):
            room.look(at)
        if self._full or room.why:
            self._lose(stream, buffer, 0, length, room.why)
            return
        fits = length
        if self.written + self._place + length > self._full_at:
            fits = self._make_room(length, at)
        done = self._write(stream, buffer, fits, at) if fits else 0
        room.left -= done
        if done < length:
            why = room.refused(self._files.error, at) if done < fits else ""
            self._lose(stream, buffer, done, length, why)
        if fits < length:
            self._is_full(at)

    def _write(self, stream: int, buffer: bytes | bytearray, length: int, at: int) -> int:
        view = memoryview(buffer)[:length]
        try:
            done = self._files.write(place.LOG, view, self.written)
        finally:
            view.release()
        if not done:
            return 0
        if self._lost[0] or self._lost[1]:
            self._tell_loss(at)
        if self._is_speaking:
            self._stop_speaking(at)
        newlines = buffer.count(b"\n", 0, done)
        begins = buffer.rfind(b"\n", 0, done) + 1 if newlines else None
        if not self._note(stream, self.written, done, newlines, begins, at):
            self._files.shorten(place.LOG, self.written)  # no byte without its entry
            return 0
        self.written += done
        return done

    def _note(
        self,
        stream: int,
        offset: int,
        length: int,
        newlines: int,
        begins: int | None,
        at: int,
        flags: int = 0,
    ) -> bool:
        """Index a chunk; `begins` is where in it the line begins that is open after it, None if none does."""
        size = self._sizes[stream]
        last, where = self._entry, self._place
        if last is not None and last[6] == stream and not flags and self._shared(last, length, at):
            entry = (*last[:5], last[5] + length, stream, last[7])
        else:
            if last is not None:
                where += ENTRY.size
            entry = (offset, size, at, self.lines, self._begins[stream], length, stream, flags)
        if self._files.write(place.INDEX, ENTRY.pack(*entry), where) < ENTRY.size:
            return False
        self._entry, self._place = entry, where
        self._sizes[stream] += length
        if begins is not None:
            self._begins[stream] = size + begins
        self.lines += newlines
        return True

    def _shared(self, last: tuple[int, ...], length: int, at: int) -> bool:
        together = last[5] + length <= min(LONGEST, 2 * self._piece)
        return together and 0 <= at - last[2] < SHARED and not last[7] & ENDS_STREAM

    # --- the cap

    def _limit(self) -> None:
        if self._cap is not None:
            front = self._front
            self._full_at = self._cap - _RESERVE + front.offset + front.first * ENTRY.size

    def _make_room(self, length: int, at: int) -> int:
        """How many of so many bytes fit, once the oldest were dropped, if that is what is to be done."""
        entries = self._place // ENTRY.size + (self._entry is not None)
        if self._on_full == DROP_OLD and self._cap is not None:
            dropped = self._front.advance(
                self._files, self._cap, written=self.written, entries=entries, lines=self.lines,
                needed=length + _RESERVE, at=at,
            )  # fmt: skip
            self._limit()
            if self._front.first == entries and self._entry is not None:
                # The last entry went, too: it must not grow any more.
                self._entry = (*self._entry[:7], self._entry[7] | ENDS_STREAM)
            if not dropped:
                self._on_full = DROP_NEW
                self.say("the file system cannot give back the beginning of a file", at)
        fits = min(length, self._full_at - self.written - self._place)
        if fits < length:
            self._tell_loss(
                at
            )  # what the disk had no room for, before it is counted with what the log has none for
            self._full = True
        return max(0, fits)

    def _is_full(self, at: int) -> None:
        """Say so, behind the last bytes that fitted."""
        if self._on_full == KILL:
            overflowed, self._overflowed = self._overflowed, None
            if overflowed is not None:
                overflowed()
        else:
            self.say(f"the log has reached {self._cap} bytes (log_max_size): what follows is dropped", at)

    # --- what was not written, and Rota's words

    def _lose(self, stream: int, buffer: bytes | bytearray, start: int, end: int, why: str) -> None:
        self._lost[stream] += end - start
        self._lost_lines[stream] += buffer.count(b"\n", start, end)
        self._why = why or "the log was full"

    def _tell_loss(self, at: int) -> None:
        parts = [
            f"{lost} bytes ({lines} lines) of {name}"
            for lost, lines, name in zip(self._lost, self._lost_lines, _NAMES, strict=True)
            if lost
        ]
        if parts and self.say(f"{' and '.join(parts)} were dropped: {self._why}", at):
            self._lost, self._lost_lines = [0, 0], [0, 0]

    @property
    def _is_speaking(self) -> bool:
        return self._begins[SYSTEM] < self._sizes[SYSTEM]

    def _stop_speaking(self, at: int) -> None:
        if self._is_speaking:
            self._speak(b"\n", 1, 1, at)

    def _speak(self, data: bytes, newlines: int, begins: int | None, at: int) -> bool:
        size = self._sizes[SYSTEM]
        done = self._files.write(place.SYSTEM, data, size)
        if done == len(data) and self._note(SYSTEM, size, done, newlines, begins, at):
            return True
        if done:
            self._files.shorten(place.SYSTEM, size)
        return False


_NAMES = ("standard output", "standard error")
