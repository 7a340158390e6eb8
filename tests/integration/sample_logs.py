"""Logs for the tests of reading, written as the keeper writes them."""

from __future__ import annotations

from pathlib import Path

from rota.logs import place
from rota.logs.index import STDERR, STDOUT, SYSTEM
from rota.logs.room import Room
from rota.logs.writer import LogWriter

OUT, ERR, WORDS = STDOUT, STDERR, SYSTEM

#: When the first piece came: 2026-03-02T12:00:00Z, in microseconds. Each comes a second after the other.
NOON = 1_772_452_800_000_000


class SampleLog:
    """The log of one run, while a test writes it."""

    def __init__(self, data: Path, run_id: str, cap: int | None = None) -> None:
        self.run_id = run_id
        Path(place.folder(str(data), run_id)).mkdir(parents=True, exist_ok=True)
        self._writer = LogWriter(str(data), run_id, Room(str(data)), cap=cap)
        self.now = NOON - 1_000_000

    def write(self, stream: int, data: bytes | str) -> SampleLog:
        """One piece, a second after the one before."""
        self.now += 1_000_000
        if stream == WORDS:
            self._writer.say(str(data), self.now)
        else:
            content = data.encode() if isinstance(data, str) else data
            for start in range(0, len(content), 65_536):
                piece = bytearray(content[start : start + 65_536])
                self._writer.append(stream, piece, len(piece), self.now)
        return self

    def end(self) -> SampleLog:
        """The run is over."""
        for stream in (OUT, ERR):
            self._writer.end_stream(stream, self.now)
        self._writer.end(self.now)
        self._writer.close()
        return self

    def die(self) -> None:
        """The keeper is killed."""
        self._writer.close()


def write_log(data: Path, run_id: str, *pieces: tuple[int, bytes | str]) -> SampleLog:
    """A whole log."""
    log = SampleLog(data, run_id)
    for stream, content in pieces:
        log.write(stream, content)
    return log.end()
