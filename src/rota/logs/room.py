"""Whether the disk has room for output. Standard library only: the keeper imports it.

One for all runs of a keeper. It is looked at once a second, and before that when half of what was free may
have been written: a program fills a gigabyte in a second. A disk that was found full is believed to be full
until the next look, so that a thousand runs that write do not ask it a million times.
"""

from __future__ import annotations

import errno
import os

#: Microseconds that a look is good for.
FRESH = 1_000_000

_MUCH = 1 << 62


class Room:
    """The free space of one data folder's file system."""

    __slots__ = ("_data", "left", "min_free", "seen_at", "why")

    def __init__(self, data: str, min_free: int = 0) -> None:
        self._data = data
        self.min_free = min_free  #: bytes that output must leave free
        self.seen_at = 0  #: microseconds since the epoch, of the last look
        self.left = _MUCH  #: bytes that may be written before the next look
        self.why = ""  #: why nothing is written now; empty while there is room

    def is_known(self, at: int) -> bool:
        """Whether the last look still tells."""
        return self.left > 0 and 0 <= at - self.seen_at < FRESH

    def leave_free(self, min_free: int) -> None:
        """Output must leave so many bytes from now on; the next write looks anew."""
        self.min_free = min_free
        self.seen_at = 0

    def look(self, at: int) -> None:
        """See how much is free."""
        self.seen_at = at
        self.left = _MUCH
        self.why = ""
        if self.min_free:
            try:
                found = os.statvfs(self._data)
            except OSError:
                return  # writing will tell
            spare = found.f_bavail * found.f_frsize - self.min_free
            if spare < 0:
                self.why = f"less than min_free_space ({self.min_free} bytes) was free"
            else:
                self.left = spare // 2

    def refused(self, error: OSError | None, at: int) -> str:
        """A write failed; the reason in words. One for want of room would fail for every run."""
        if error is not None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return error.strerror or str(error)
        self.seen_at = at
        self.left = _MUCH
        self.why = "the disk was full"
        return self.why
