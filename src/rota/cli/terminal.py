"""The terminal of whoever runs this: raw, so that each key goes to the run, and afterwards as it was."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
import termios
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DETACH = b"\x1c"
"""What Ctrl-\\ types: it leaves, and does not go to the run."""


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """Pass every key on as it comes; nothing of it where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield
        return
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setraw(file, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def hung_up() -> bool:
    """Whether standard input is a terminal that has gone."""
    file = sys.stdin.fileno()
    poll = select.poll()
    poll.register(file, 0)
    return stat.S_ISCHR(os.fstat(file).st_mode) and any(event & select.POLLHUP for _, event in poll.poll(0))


def size() -> os.terminal_size | None:
    """Rows and columns of the terminal that is written to; None without one."""
    for stream in (sys.stdout, sys.stdin, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            found = os.get_terminal_size(stream.fileno())
            if found.lines and found.columns:
                return found
    return None
