"""A run's log, byte for byte as its program wrote it."""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING

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
    """The log as long as it was when it was opened; a run that goes on is not followed. To be closed."""

    def __init__(self, file: io.FileIO | None) -> None:
        self._file = file
        self.size = 0 if file is None else os.fstat(file.fileno()).st_size

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes, in order."""
        offset = 0
        while self._file is not None and offset < self.size:
            length = min(PIECE, self.size - offset)
            piece = await asyncio.to_thread(os.pread, self._file.fileno(), length, offset)
            if not piece:  # it was cut shorter meanwhile: there is no more
                return
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


async def read_log(rota: Rota, run_id: RunId) -> RawLog:
    """Both streams, in order of arrival. Raises RunNotFound; a run that wrote nothing has an empty log."""
    await get_run(rota, run_id)
    return RawLog(await asyncio.to_thread(_open, log_path(rota.data, run_id)))


def _open(path: Path) -> io.FileIO | None:
    try:
        return io.FileIO(path)
    except FileNotFoundError:
        return None
