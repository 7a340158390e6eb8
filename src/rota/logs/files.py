"""The files of a run's log while it is written: opened at the first byte, cut from the front.

Standard library only: the keeper imports it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from struct import Struct

from rota.logs import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: A hole begins and ends at such an offset.
PAGE = 4096

# Punches a hole, by way of `ioctl`: the standard library has no `fallocate` with a mode, and `ctypes` would
# cost the keeper two megabytes. Linux has it on every file system that can do it, since 5.5; where the number
# or the layout means nothing it is refused, and the writer does without.
_FS_IOC_UNRESVSP64 = (1 << 30) | (48 << 16) | (0x58 << 8) | 43
_RANGE = Struct("@hhqqiI16x")  # type, whence, start, length, and what is ignored

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class LogFiles:
    """The descriptors of one run's log, each opened when it is first needed."""

    __slots__ = ("_data", "_run_id", "error", "open")

    def __init__(self, data: str, run_id: str, open_already: dict[str, int] | None = None) -> None:
        self._data = data
        self._run_id = run_id
        self.open: dict[str, int] = dict(open_already or {})  #: descriptors, by the ending of the file's name
        self.error: OSError | None = None  #: why the last write that failed did so

    def get(self, suffix: str) -> int:
        """The descriptor of a file; OSError when it cannot be made."""
        fd = self.open.get(suffix)
        if fd is None:
            path = place.path(self._data, self._run_id, suffix)
            try:
                fd = os.open(path, _FLAGS, 0o600)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                fd = os.open(path, _FLAGS, 0o600)
            self.open[suffix] = fd
        return fd

    def ready(self, suffix: str) -> bool:
        """Whether the file is open, or fails for another reason than a want of descriptors, which passes."""
        try:
            self.get(suffix)
        except OSError as error:
            return error.errno not in (errno.EMFILE, errno.ENFILE)
        return True

    def write(self, suffix: str, view: memoryview | bytes, offset: int) -> int:
        """How many of the bytes were written; `error` says why not all of them were."""
        done = 0
        try:
            fd = self.get(suffix)
            while done < len(view):
                done += os.pwrite(fd, view[done:], offset + done)
        except OSError as error:
            self.error = error
        return done

    def shorten(self, suffix: str, length: int) -> None:
        """Take back what was written beyond this length."""
        try:
            os.ftruncate(self.get(suffix), length)
        except OSError:
            return  # the next write goes over it

    def punch(self, suffix: str, start: int, end: int) -> bool:
        """Give the disk back what lies between two offsets; False when the file system cannot."""
        try:
            fcntl.ioctl(self.get(suffix), _FS_IOC_UNRESVSP64, _RANGE.pack(0, 0, start, end - start, 0, 0))
        except OSError:
            return False
        return True

    def size(self) -> int:
        """The bytes that the open files take on the disk."""
        return sum(os.fstat(fd).st_blocks * 512 for fd in self.open.values())

    def close(self) -> None:
        """Close them; twice is fine."""
        for fd in self.open.values():
            os.close(fd)
        self.open.clear()

    def descriptors(self) -> Iterable[int]:
        """Those that are open."""
        return self.open.values()
