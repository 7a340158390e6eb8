"""The keeper's journal: what it was asked to spawn and how that ended, until the server has committed it.

One file, appended to before each spawn and at each end. It makes a spawn happen once, over the death of a
keeper too, tells a new keeper which survivors are its own, and has the ends when keeper, server or database
are gone. Lines of JSON, later ones over earlier ones of the same run; `forget` names runs that are nobody's
concern any more. The environment and the arguments are never in it. A file for each run would cost the disk
ten times as much. Standard library only.
"""

from __future__ import annotations

import errno
import os

from rota.keeper.protocol import ProtocolError, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NAME = "keeper.journal"

_EMPTY_AT = 1 << 16  # bytes, from which a journal of nothing is emptied
_REWRITE_AT = 4 << 20  # bytes, from which one of little is written anew
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Journal:
    """The journal of the keeper that runs, which alone writes to it."""

    def __init__(self, data: str) -> None:
        self._path = os.path.join(data, NAME)
        self.older = read(data)  #: of keepers before this one, by run
        self._fd = os.open(self._path, _FLAGS, 0o600)
        self._size = os.fstat(self._fd).st_size
        self._lines = {run_id: [encode(about)] for run_id, about in self.older.items()}
        self._torn = self._size > 0  # what stands last may be half a line

    def add(self, run_id: str, line: bytes) -> None:
        """Append a line, as `encode` makes it, about a run; OSError when it is not on file as a whole."""
        self._lines.setdefault(run_id, []).append(line)
        self._write(line)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Nobody will ask for these any more."""
        known = [run_id for run_id in run_ids if self._lines.pop(run_id, None) is not None]
        if not known:
            return
        for run_id in known:
            self.older.pop(run_id, None)
        try:
            if not self._lines and self._size > _EMPTY_AT:
                os.ftruncate(self._fd, 0)
                self._size, self._torn = 0, False
                return
            if self._size > _REWRITE_AT:
                self._rewrite()
                return
            self._write(encode({"forget": known}))
        except OSError:
            pass  # they stand there a while longer, and are forgotten with the next ones

    def close(self) -> None:
        """Close it; one that holds nothing is removed."""
        os.close(self._fd)
        if not self._lines:
            os.unlink(self._path)

    def _write(self, line: bytes) -> None:
        piece = b"\n" + line if self._torn else line
        self._torn = True
        written = os.write(self._fd, piece)
        self._size += written
        if written < len(piece):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False

    def _rewrite(self) -> None:
        draft = self._path + ".new"
        fd = os.open(draft, _FLAGS | os.O_TRUNC, 0o600)
        content = b"".join(line for lines in self._lines.values() for line in lines)
        if os.write(fd, content) < len(content):
            os.close(fd)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.rename(draft, self._path)
        os.close(self._fd)
        self._fd, self._size, self._torn = fd, len(content), False


def read(data: str) -> dict[str, dict[str, Any]]:
    """Everything that stands in a data folder's journal and was not forgotten, by run."""
    try:
        with open(os.path.join(data, NAME), "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return {}
    merged: dict[str, dict[str, Any]] = {}
    for line in filter(None, lines):
        try:
            about = decode(line)
        except ProtocolError:
            continue  # it was cut short by a crash or a full disk
        for run_id in about.get("forget", ()):
            merged.pop(run_id, None)
        if "run" in about:
            merged.setdefault(about["run"], {}).update(about)
    return merged
