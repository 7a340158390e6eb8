"""Terminals: made for a run that asks for one, and seen from the keeper's end. Standard library only."""

from __future__ import annotations

import fcntl
import os
import sys
import termios

#: What a program is told of a terminal of which its environment says nothing.
TERM = "xterm-256color"

_IUTF8 = 0o40000  # Linux and macOS: a backspace takes a character, not a byte
_TIOCGPTPEER = 0x5441  # Linux: the other end, whatever is mounted where
_EMPTY_LINE = (termios.VEOF, termios.VINTR, termios.VQUIT, termios.VSUSP, termios.VKILL)
_PEER = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC


def make(rows: int, cols: int) -> tuple[int, int]:
    """A terminal of this size: the keeper's end, and the program's."""
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        raise OSError(error.errno, f"cannot make a terminal: {error.strerror}") from error
    try:
        settings = termios.tcgetattr(theirs)
        settings[0] |= _IUTF8
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        resize(theirs, rows, cols)
    except BaseException:
        os.close(ours)
        os.close(theirs)
        raise
    return ours, theirs


def resize(fd: int, rows: int, cols: int) -> None:
    """Set its size; what is in its foreground hears of it by SIGWINCH."""
    termios.tcsetwinsize(fd, (rows, cols))


def echoes(fd: int) -> bool:
    """Whether it shows what is typed; not while a program asks for a password, or shows it itself."""
    try:
        return bool(termios.tcgetattr(fd)[3] & termios.ECHO)
    except termios.error:
        return False


def end_of_input(fd: int, last: int) -> bytes:
    """What is typed for "no more": the terminal's own character, twice within a line.

    `last` is the byte that was typed before, or -1. Within a line the first only hands over what was typed.
    """
    settings = termios.tcgetattr(fd)
    control = settings[6]
    if not settings[3] & termios.ICANON or control[termios.VEOF] == b"\0":
        return b"\x04"  # no lines, no end: a program that reads keys takes this one for it
    end: bytes = control[termios.VEOF]
    line_is_empty = last < 0 or bytes((last,)) in (b"\n", b"\r", *(control[each] for each in _EMPTY_LINE))
    return end if line_is_empty else end * 2


def unread(fd: int) -> int:
    """How much was typed and not read yet, as far as that can be told from the keeper's end."""
    try:
        peer = fcntl.ioctl(fd, _TIOCGPTPEER, _PEER)
    except OSError:
        return 0
    try:
        return int.from_bytes(fcntl.ioctl(peer, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0
    finally:
        os.close(peer)
