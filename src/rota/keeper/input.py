"""The input of one run: what was sent and not taken by its pipe or terminal waits here.

Writing never blocks: what the program does not read stays here, up to a limit, and goes when it can. Standard
library only.
"""

from __future__ import annotations

import fcntl
import os
import sys
import termios

from rota.keeper import terminal
from rota.keeper.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.loop import Loop

#: The bytes that may be unread at once, those in the pipe included.
MOST = 1 << 20

#: Why nothing was taken: it was closed here · by the program · too much is unread.
CLOSED, BROKEN, FULL = "closed", "broken", "full"


class NotTaken(Exception):
    """Nothing of what was sent was taken."""

    def __init__(self, why: str, unread: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.unread = unread


class Input:
    """The writing end of a run's standard input."""

    __slots__ = ("_broken", "_closing", "_last", "_loop", "fd", "keypad", "lost", "name", "waiting")

    def __init__(self, loop: Loop, fd: int, name: str, lost: Callable[[int], None]) -> None:
        self._loop = loop
        self._closing = self._broken = False
        self._last = -1  # the last byte that was sent to a terminal
        self.fd = fd  #: never blocks; -1 once it is closed
        self.name = name  #: what the program's end is called in `/proc/PID/fd`
        self.keypad = False  #: the program has asked its terminal for other codes of the cursor keys
        self.lost = lost  #: is told how many bytes nobody will read any more
        self.waiting = bytearray()

    @property
    def is_terminal(self) -> bool:
        """Whether what is sent is typed."""
        return not self.name.startswith("pipe:")

    @property
    def is_open(self) -> bool:
        """Whether it takes anything."""
        return self.fd >= 0 and not self._closing

    @property
    def unread(self) -> int:
        """The bytes that were taken, and that the program has not read."""
        if self.fd < 0:
            return 0
        if self.is_terminal:
            return len(self.waiting) + terminal.unread(self.fd)
        in_pipe = fcntl.ioctl(self.fd, termios.FIONREAD, bytes(4))
        return len(self.waiting) + int.from_bytes(in_pipe, sys.byteorder)

    def as_typed(self, key: str) -> str:
        """What a key sends now: full-screen programs may have the cursor keys send other codes."""
        moves = len(key) == 3 and key.startswith("\x1b[") and key[2] in "ABCDHF"
        return f"\x1bO{key[2]}" if moves and self.keypad else key

    def check(self) -> None:
        """NotTaken when it takes nothing."""
        if not self.is_open:
            raise NotTaken(BROKEN if self._broken else CLOSED)

    def send(self, data: bytes) -> None:
        """Take all of it; NotTaken, and nothing of it was taken."""
        self.check()
        unread = self.unread
        if unread + len(data) > MOST:
            raise NotTaken(FULL, unread)
        done = 0 if self.waiting else self._write(data)
        if self._broken:
            raise NotTaken(BROKEN)
        if done < len(data):
            self.waiting += data[done:]
            self._loop.watch(self.fd, WRITE, self._go_on)
        if data:
            self._last = data[-1]

    def close(self) -> None:
        """No more comes: a pipe is closed once what waits is written. A terminal stays, and is told."""
        self.check()
        if self.is_terminal:
            self.send(terminal.end_of_input(self.fd, self._last))
        elif self.waiting:
            self._closing = True
        else:
            self._shut()

    def end(self) -> None:
        """The run is over, or nothing has its terminal open; ending twice is fine."""
        if self.fd >= 0:
            self._broken = True
        unread = self.unread
        self._shut()
        if unread:
            self.lost(unread)

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError:  # nobody reads it any more
            self.end()
            return 0

    def _go_on(self) -> None:
        del self.waiting[: self._write(self.waiting)]
        if not self.waiting and self.fd >= 0:
            self._loop.forget(self.fd)
            if self._closing:
                self._shut()

    def _shut(self) -> None:
        if self.fd >= 0:
            self._loop.forget(self.fd)
            os.close(self.fd)
            self.fd = -1
            self.waiting = bytearray()

    # --- across a re-execution

    def state(self) -> dict[str, Any]:
        """Everything that a successor of this keeper needs."""
        return {
            "fd": self.fd, "name": self.name, "waiting": self.waiting.decode("latin-1"),
            "closing": self._closing, "broken": self._broken, "last": self._last, "keypad": self.keypad,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.waiting += state["waiting"].encode("latin-1")
        self._closing, self._broken, self._last = state["closing"], state["broken"], state["last"]
        self.keypad = state["keypad"]
        if self.waiting:
            self._loop.watch(self.fd, WRITE, self._go_on)
