"""Moves what programs write from their pipes and terminals into their logs. Standard library only.

Each ready pipe gets one read a turn, so that no run waits for a chatty one; a pipe holds 64 KiB, so one
buffer of that size serves all. A program whose pipe is full waits, as with any pipe: nothing is lost.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import termios
import time

from rota.keeper.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.keeper.input import Input
    from rota.keeper.loop import Loop
    from rota.logs.writer import LogWriter

_buffer = bytearray(64 * 1024)
_view = [memoryview(_buffer)]

_PATIENCE = 0.1  # seconds until a log that could not be opened, for want of descriptors, is tried again;
# meanwhile nothing is read, so nothing is lost


class Pump:
    """One pipe of one run, or its terminal."""

    __slots__ = ("_ended", "_log", "_loop", "fd", "stream")

    def __init__(
        self, loop: Loop, fd: int, stream: int, log: LogWriter | Screen | None, ended: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._log = log
        self._ended = ended
        self.fd = fd  #: -1 once it is closed
        self.stream = stream
        os.set_blocking(fd, False)
        loop.watch(fd, READ, self.turn)

    def turn(self) -> None:
        """Move one read's worth."""
        self._move()
        if self.fd < 0:
            self._ended()

    def drain(self) -> None:
        """Move what is in the pipe now: a child that goes on writing must not hold the keeper."""
        for _ in range(17):  # a pipe of the largest size that a program may set by itself, 1 MiB
            if self.fd < 0 or not self._move():
                return

    def discard(self) -> None:
        """From now on read and throw away, so that a process that was left alone can go on writing."""
        self._end_stream()
        self._log = None
        self._ended = _nobody

    def close(self) -> None:
        """Stop reading; who still writes gets SIGPIPE."""
        if self.fd >= 0:
            self._end_stream()
            self._loop.forget(self.fd)
            os.close(self.fd)
            self.fd = -1

    def _move(self) -> bool:
        # A pipe that only ends needs no files: a silent run leaves none.
        if self._log is not None and not self._log.is_open and _waiting(self.fd) and not self._log.ready():
            self._loop.forget(self.fd)
            self._loop.after(_PATIENCE, self._resume)
            return False
        try:
            count = os.readv(self.fd, _view)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            count = 0  # so ends a terminal that no process has open any more
        if not count:
            self.close()
            return False
        if self._log is not None:
            self._log.append(self.stream, _buffer, count, time.time_ns() // 1000)
        return True

    def _resume(self) -> None:
        if self.fd >= 0:
            self._loop.watch(self.fd, READ, self.turn)

    def _end_stream(self) -> None:
        if self._log is not None:
            self._log.end_stream(self.stream, time.time_ns() // 1000)


class Screen:
    """The log of a terminal's run, for its pump: what a program asks of the terminal is heard in passing."""

    __slots__ = ("_input", "_log", "end_stream", "ready")

    def __init__(self, log: LogWriter, given: Input) -> None:
        self._log, self._input = log, given
        self.ready, self.end_stream = log.ready, log.end_stream

    @property
    def is_open(self) -> bool:
        """Whether the log's files are open."""
        return self._log.is_open

    def append(self, stream: int, buffer: bytearray, length: int, at: int) -> None:
        """Add to the log."""
        on, off = (buffer.rfind(b"\x1b[?1" + end, 0, length) for end in (b"h", b"l"))
        if on != off:
            self._input.keypad = on > off
        self._log.append(stream, buffer, length, at)


def _waiting(fd: int) -> int:
    """The bytes in a pipe."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)


def _nobody() -> None:
    """The run is over: nobody waits for this pipe."""
