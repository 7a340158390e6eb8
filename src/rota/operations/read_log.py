"""A run's log, byte for byte as its program wrote it: all of it, a stream of it, or a part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rota.logs.index import STDOUT
from rota.logs.log import Log
from rota.model.run import Status
from rota.operations.get_run import get_run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rota.model.run import Run
    from rota.operations.rota import Rota

#: How much is read at once; enough that a fast disk is the slower part.
PIECE = 256 * 1024


class RawLog:
    """The log as long as it was when it was opened; a run that goes on is not followed. To be closed.

    Offsets count from the first byte that was ever written, also where the beginning was dropped. Should more
    be dropped while it is read, the reading ends: a hole is not output.
    """

    def __init__(self, log: Log, run: Run, stream: int | None) -> None:
        self.run = run
        self._log = log
        self._stream = stream
        self.start = self._start()  #: the first byte that is there
        self.stop = max(self.start, log.file_size if stream is None else log.size(stream))  #: behind the last

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes between two offsets, in order."""
        while start < stop:
            piece = await asyncio.to_thread(self._read, start, min(start + PIECE, stop))
            if not piece:
                return
            start += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of the files."""
        self._log.close()

    def _read(self, start: int, stop: int) -> bytes:
        if self._stream is None:
            piece = self._log.read_file(STDOUT, start, stop - start)
        else:
            piece = self._log.read_stream(self._stream, start, stop)
        dropped = self._log.follow_beginning() and self._start() > start
        return b"" if dropped else piece

    def _start(self) -> int:
        return self._log.beginning.offset if self._stream is None else self._log.start_of(self._stream)


async def read_log(rota: Rota, run_id: str, stream: int | None = None) -> RawLog:
    """Both streams in order of arrival, or one; empty for a run that wrote nothing.

    Raises RunNotFound and RunUnclear.
    """
    run = await get_run(rota, run_id)
    return await asyncio.to_thread(_open, rota, run, stream)


def _open(rota: Rota, run: Run, stream: int | None) -> RawLog:
    log = Log(rota.data, run.id, finalized=run.status is Status.ENDED)
    return RawLog(log, run, stream)
