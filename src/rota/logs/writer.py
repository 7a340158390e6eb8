"""Writes a run's log: the program's bytes as they came, an index beside them, Rota's words apart.

The keeper owns one writer per run and calls it from its pump. Files are made at the first byte, so a
silent run has none. A full disk costs output and never the run: what could not be written is counted and
told by a system line when there is room again.
Standard library only.
"""

from __future__ import annotations

import errno
import os

from rota.logs import place
from rota.logs.index import ENDS_STREAM, ENTRY, LONGEST, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: Chunks of one stream that arrive within this many microseconds share an index entry.
SHARED = 1000

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class LogWriter:
    """The log of one run, while it is written."""

    __slots__ = (
        "_begins", "_data", "_entry", "_files", "_lost", "_place", "_run_id", "_sizes", "lines", "written",
    )  # fmt: skip

    def __init__(self, data: str, run_id: str) -> None:
        self._data = data
        self._run_id = run_id
        self._files: dict[str, int] = {}
        self._sizes = [0, 0, 0]  # bytes of each stream
        self._begins = [0, 0, 0]  # where in each stream its open line begins
        self._lost = [0, 0]  # bytes that the disk had no room for, not yet told
        self._entry: tuple[int, int, int, int, int, int, int, int] | None = None
        self._place = 0  # of the last entry in the index
        self.lines = 0  #: complete lines of all streams
        self.written = 0  #: bytes in the log file

    @property
    def is_open(self) -> bool:
        """Whether the files for the program's bytes are open."""
        return place.LOG in self._files and place.INDEX in self._files

    def ready(self) -> bool:
        """Whether bytes can be taken now; False while there are no descriptors to open the files with."""
        try:
            self._file(place.LOG, _APPEND)
            self._file(place.INDEX, _WRITE)
        except OSError as error:
            return error.errno not in (errno.EMFILE, errno.ENFILE)
        return True

    def append(self, stream: int, buffer: bytearray, length: int, at: int) -> None:
        """Add the first `length` bytes of `buffer`, which came from `stream` at `at` (microseconds)."""
        if self._lost[stream]:
            self._tell_loss(stream, at)
        view = memoryview(buffer)[:length]
        try:
            done = _write_all(self._file(place.LOG, _APPEND), view)
        except OSError as error:
            done = _written(error)
        finally:
            view.release()
        self._lost[stream] += length - done
        if done:
            newlines = buffer.count(b"\n", 0, done)
            begins = buffer.rfind(b"\n", 0, done) + 1 if newlines else None
            self._note(stream, self.written, done, newlines, begins, at)
            self.written += done

    def say(self, text: str, at: int) -> None:
        """Add one line of Rota's own words, apart from the program's bytes."""
        line = (" ".join(text.split()) + "\n").encode("utf-8", "surrogateescape")
        try:
            _write_all(self._file(place.SYSTEM, _APPEND), memoryview(line))
        except OSError:
            return  # no room for words either; the run's record still says how it ended
        self._note(SYSTEM, self._sizes[SYSTEM], len(line), 1, len(line), at)

    def end_stream(self, stream: int, at: int) -> None:
        """No more comes from this stream: an open line of it is complete now."""
        if self._lost[stream]:
            self._tell_loss(stream, at)
        if self._begins[stream] < self._sizes[stream]:
            self._note(stream, self.written, 0, 1, 0, at, ENDS_STREAM)

    def close(self) -> None:
        """Close the files; the writer may be closed twice."""
        for fd in self._files.values():
            os.close(fd)
        self._files.clear()

    def state(self) -> dict[str, Any]:
        """Everything that a keeper which re-executes itself hands to its successor."""
        return {
            "files": self._files,
            "sizes": self._sizes,
            "begins": self._begins,
            "lost": self._lost,
            "entry": self._entry,
            "place": self._place,
            "lines": self.lines,
            "written": self.written,
        }

    @classmethod
    def restored(cls, data: str, run_id: str, state: dict[str, Any]) -> LogWriter:
        """The writer that `state` was taken from."""
        writer = cls(data, run_id)
        writer._files = dict(state["files"])
        writer._sizes = list(state["sizes"])
        writer._begins = list(state["begins"])
        writer._lost = list(state["lost"])
        writer._entry = tuple(state["entry"]) if state["entry"] else None
        writer._place = state["place"]
        writer.lines = state["lines"]
        writer.written = state["written"]
        return writer

    def descriptors(self) -> Iterable[int]:
        """The open files."""
        return self._files.values()

    def _note(
        self,
        stream: int,
        offset: int,
        length: int,
        newlines: int,
        begins: int | None,
        at: int,
        flags: int = 0,
    ) -> None:
        """Index a chunk; `begins` is where in it the line begins that is open after it, None if none does."""
        size = self._sizes[stream]
        last = self._entry
        if last is not None and last[6] == stream and not flags and self._shared(last, length, at):
            entry = (*last[:5], last[5] + length, stream, last[7])
        else:
            if last is not None:
                self._place += ENTRY.size
            entry = (offset, size, at, self.lines, self._begins[stream], length, stream, flags)
        self._entry = entry
        self._sizes[stream] += length
        if begins is not None:
            self._begins[stream] = size + begins
        self.lines += newlines
        try:
            os.pwrite(self._file(place.INDEX, _WRITE), ENTRY.pack(*entry), self._place)
        except OSError:
            pass  # the bytes are in the log; a reader takes what the index does not tell as standard output

    @staticmethod
    def _shared(last: tuple[int, ...], length: int, at: int) -> bool:
        return 0 <= at - last[2] < SHARED and last[5] + length <= LONGEST and not last[7] & ENDS_STREAM

    def _tell_loss(self, stream: int, at: int) -> None:
        lost, self._lost[stream] = self._lost[stream], 0
        name = ("standard output", "standard error")[stream]
        self.say(f"{lost} bytes of {name} were dropped: the disk was full", at)

    def _file(self, suffix: str, flags: int) -> int:
        fd = self._files.get(suffix)
        if fd is None:
            where = place.path(self._data, self._run_id, suffix)
            fd = self._files[suffix] = os.open(where, flags, 0o600)
        return fd


class _ShortWriteError(OSError):
    """Some bytes were written before the disk was full."""

    written = 0


def _write_all(fd: int, view: memoryview) -> int:
    done = 0
    while done < len(view):
        try:
            done += os.write(fd, view[done:])
        except OSError as error:
            short = _ShortWriteError(error.errno, error.strerror)
            short.written = done
            raise short from error
    return done


def _written(error: OSError) -> int:
    return error.written if isinstance(error, _ShortWriteError) else 0
