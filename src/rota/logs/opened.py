"""The files of a log that is read: each opened when it is first needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rota.logs import place

if TYPE_CHECKING:
    from pathlib import Path


class Opened:
    """Those of one run."""

    def __init__(self, data: Path | str, run_id: str) -> None:
        self._data = os.fspath(data)
        self._run_id = run_id
        self.files: dict[str, int] = {}  #: those that are open, by their suffixes in `rota.logs.place`

    def file(self, suffix: str) -> int | None:
        """One of them; None while there is none, since nothing was written to it."""
        found = self.files.get(suffix)
        if found is None:
            try:
                where = place.path(self._data, self._run_id, suffix)
                found = self.files[suffix] = os.open(where, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
        return found

    def close(self) -> None:
        """Let go of them; twice is fine."""
        for file in self.files.values():
            os.close(file)
        self.files.clear()


def read_all(file: int, offset: int, length: int) -> bytes:
    """All of a part of an open file, but where that ends."""
    data = os.pread(file, length, offset)
    while 0 < len(data) < length:  # a read gives 2 GiB at most
        more = os.pread(file, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
