"""Unix sockets at any depth of path. Standard library only: the keeper imports it.

A socket's address holds 107 bytes at most; a data folder may lie deeper. On Linux such a folder is opened
and the socket named through it; elsewhere the process would have to change folder, so the path must fit.
"""

from __future__ import annotations

import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes of a path that every system takes.
LONGEST = 103


def listen(path: str, backlog: int = 512) -> socket.socket:
    """A listening socket at `path`, mode 0600, in the place of whatever stood there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # there is no moment at which another user could connect
    try:
        _through(path, sock.bind)
    finally:
        os.umask(mask)
    sock.listen(backlog)
    return sock


def connect(path: str) -> socket.socket:
    """A blocking socket connected to `path`; FileNotFoundError or ConnectionRefusedError if none listens."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _through(path, sock.connect)
    except BaseException:
        sock.close()
        raise
    return sock


def _through(path: str, act: Callable[[str], object]) -> None:
    if len(os.fsencode(path)) <= LONGEST:
        act(path)
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        act(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)
