"""Reads a run's log as it was written, while the run goes on or after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rota.logs import place
from rota.logs.entries import EVERY
from rota.logs.index import STREAMS
from rota.logs.log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def log_path(data: Path, run_id: str) -> Path:
    """The file of the program's own bytes; it does not exist while nothing was written."""
    return data / "runs" / run_id[:7] / (run_id + place.LOG)


class LogFollower:
    """Reads what was added to a log since the last look, stream by stream, in order of arrival. To be closed.

    Use it with an outside signal of the run's end: one last `read` after that signal gives the rest.
    """

    def __init__(self, data: Path, run_id: str) -> None:
        self._log = Log(data, run_id, finalized=False)
        self._place = 0  # of the entry that is read next, or has been read and may still grow
        self._within = 0  # bytes of that entry that were read already

    def read(self, *, finalized: bool = False) -> Iterator[tuple[str, bytes]]:
        """The new pieces as (`stdout` | `stderr` | `system`, bytes); nothing when nothing is new.

        With `finalized` the run has ended: also what the index does not tell, since the keeper was killed.
        """
        log = self._log
        log.refresh(finalized=finalized)
        yield from self._skip_dropped()
        for at, entry in log.entries.walk(self._place, EVERY):
            if at < self._place:
                continue  # it was dropped while this was read
            if at > self._place:
                self._place, self._within = at, 0
            piece = log.read_file(entry.stream, entry.offset + self._within, entry.length - self._within)
            if log.follow_beginning() and log.entries.first > at:
                yield from self._skip_dropped()  # what was read may be the hole
            elif piece:
                self._within += len(piece)
                yield STREAMS[entry.stream], piece

    def skip_to_last(self, lines: int) -> None:
        """Begin so many complete lines before the end, or a few more that arrived together with these."""
        log = self._log
        log.refresh(finalized=False)
        self._place = log.entries.of_line(max(1, log.total_lines - lines + 1))

    def close(self) -> None:
        """Let go of the files; twice is fine."""
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _skip_dropped(self) -> Iterator[tuple[str, bytes]]:
        now = self._log.beginning
        if now.entry > self._place:
            self._place, self._within = now.entry, 0
            told = f"the first {now.offset} bytes ({now.lines} lines) of this log were dropped\n"
            yield "system", told.encode()
