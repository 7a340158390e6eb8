"""Reads a run's log as it was written, while the run goes on or after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rota.logs import place
from rota.logs.beginning import beginning
from rota.logs.index import ENTRY, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rota.logs.beginning import Beginning


def log_path(data: Path, run_id: str) -> Path:
    """The file of the program's own bytes; it does not exist while nothing was written."""
    return data / "runs" / run_id[:7] / (run_id + place.LOG)


class LogFollower:
    """Reads what was added to a log since the last look, stream by stream, in order of arrival.

    Use it with an outside signal of the run's end: one last `read` after that signal gives the rest.
    """

    def __init__(self, data: Path, run_id: str) -> None:
        self._data = os.fspath(data)
        self._run_id = run_id
        self._entries = 0
        self._within = 0  # bytes of the entry at `_entries` that were read already

    def read(self) -> Iterator[tuple[str, bytes]]:
        """The new pieces as (`stdout` | `stderr` | `system`, bytes); nothing when nothing is new."""
        try:
            index = os.open(self._path(place.INDEX), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            while True:
                yield from self._skip_dropped(beginning(index))
                packed = os.pread(index, ENTRY.size, self._entries * ENTRY.size)
                if len(packed) < ENTRY.size:
                    return
                offset, _, _, _, _, length, stream, _ = ENTRY.unpack(packed)
                if length > self._within:
                    piece = self._piece(stream, offset + self._within, length - self._within)
                    if beginning(index).entry > self._entries:
                        continue  # it was dropped meanwhile: what was read may be the hole
                    self._within += len(piece)
                    yield STREAMS[stream], piece
                if not os.pread(index, 1, (self._entries + 1) * ENTRY.size):
                    return  # the last entry may still grow
                if self._grown(index, length):
                    continue
                self._entries += 1
                self._within = 0
        finally:
            os.close(index)

    def _skip_dropped(self, now: Beginning) -> Iterator[tuple[str, bytes]]:
        if now.entry > self._entries:
            self._entries, self._within = now.entry, 0
            told = f"the first {now.offset} bytes ({now.lines} lines) of this log were dropped\n"
            yield "system", told.encode()

    def _grown(self, index: int, length: int) -> bool:
        # The entry was read before its successor appeared: it may have grown in between, and is final now.
        packed = os.pread(index, ENTRY.size, self._entries * ENTRY.size)
        return bool(ENTRY.unpack(packed)[5] > length)

    def _piece(self, stream: int, offset: int, length: int) -> bytes:
        suffix = place.SYSTEM if STREAMS[stream] == "system" else place.LOG
        with open(self._path(suffix), "rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)

    def _path(self, suffix: str) -> str:
        return place.path(self._data, self._run_id, suffix)
