"""A run's log, byte for byte as its program wrote it."""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING

from rota.logs import place
from rota.logs.beginning import beginning
from rota.logs.reader import log_path
from rota.operations.get_run import get_run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from rota.model.run import RunId
    from rota.operations.rota import Rota

#: How much is read at once; enough that a fast disk is the slower part.
PIECE = 256 * 1024


class RawLog:
    """The log as long as it was when it was opened; a run that goes on is not followed. To be closed.

    One whose beginning was dropped begins behind that. Should it be dropped while it is read, the reading
    ends: a hole is not output.
    """

    def __init__(self, file: io.FileIO | None, index: io.FileIO | None) -> None:
        self._file = file
        self._index = index
        self._begins = self._beginning()
        self._ends = max(self._begins, 0 if file is None else os.fstat(file.fileno()).st_size)
        self.size = self._ends - self._begins

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes, in order."""
        offset = self._begins
        while self._file is not None and offset < self._ends:
            length = min(PIECE, self._ends - offset)
            piece = await asyncio.to_thread(os.pread, self._file.fileno(), length, offset)
            if not piece or self._beginning() > offset:  # it was dropped meanwhile
                return
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._file, self._index):
            if file is not None:
                file.close()

    def _beginning(self) -> int:
        return 0 if self._index is None else beginning(self._index.fileno()).offset


async def read_log(rota: Rota, run_id: RunId) -> RawLog:
    """Both streams, in order of arrival. Raises RunNotFound; a run that wrote nothing has an empty log."""
    await get_run(rota, run_id)
    return await asyncio.to_thread(_open, log_path(rota.data, run_id))


def _open(path: Path) -> RawLog:
    return RawLog(_file(path), _file(path.with_suffix(place.INDEX)))


def _file(path: Path) -> io.FileIO | None:
    try:
        return io.FileIO(path)
    except FileNotFoundError:
        return None
