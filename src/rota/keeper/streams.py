"""The standard streams of a run, pipes or a terminal: both ends of them. Standard library only."""

from __future__ import annotations

import os

from rota.keeper import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Streams:
    """The program's ends and the keeper's, from before the spawn until after it."""

    __slots__ = ("err", "err_read", "name", "out", "out_read", "stdin", "stdin_write")

    def __init__(self, message: dict[str, Any]) -> None:
        """Those that a spawn asks for; OSError, and nothing is open."""
        self.stdin: int | None = None  #: None is `/dev/null`
        self.stdin_write: int | None = None
        self.name = ""  #: what `/proc/PID/fd` calls the program's standard input, if it takes any
        self.out = self.out_read = self.err = -1
        self.err_read: int | None = None  #: None where standard error goes the way of standard output
        account = message.get("account")
        try:
            if message.get("pty"):
                self._make_terminal(message)
            else:
                self._make_pipes(message)
            if account is not None:
                self._give_to(account[0])
        except BaseException:
            for fd in {self.out, self.err, self.stdin, self.out_read, self.err_read, self.stdin_write}:
                if fd is not None and fd >= 0:
                    os.close(fd)
            raise

    def _make_pipes(self, message: dict[str, Any]) -> None:
        self.out_read, self.out = os.pipe()
        if message.get("merge_stderr"):
            self.err = self.out
        else:
            self.err_read, self.err = os.pipe()
        if message.get("stdin") == "pipe":
            self.stdin, self.stdin_write = os.pipe()
            os.set_blocking(self.stdin_write, False)
            self.name = f"pipe:[{os.fstat(self.stdin).st_ino}]"

    def _make_terminal(self, message: dict[str, Any]) -> None:
        self.out_read, self.out = terminal.make(message["rows"], message["cols"])
        self.stdin = self.err = self.out
        os.set_blocking(self.out_read, False)
        self.stdin_write = os.dup(self.out_read)  # reading and writing are waited for apart
        self.name = os.ttyname(self.out)

    def _give_to(self, user: int) -> None:
        # Else who runs as another user could not open its own streams by name, such as `/dev/stdout`.
        for fd in {self.out, self.err, self.stdin}:
            if fd is not None:
                os.fchown(fd, user, -1)

    def close_theirs(self) -> None:
        """The program has its own copies."""
        os.close(self.out)
        if self.err != self.out:
            os.close(self.err)
        if self.stdin is not None and self.stdin != self.out:
            os.close(self.stdin)

    def close_ours(self) -> None:
        """Nothing was spawned."""
        os.close(self.out_read)
        if self.err_read is not None:
            os.close(self.err_read)
        if self.stdin_write is not None:
            os.close(self.stdin_write)
