"""Whether the server and the keeper of a data folder live: each holds a lock for as long as it does."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "server.lock"
KEEPER = "keeper.lock"


def is_held(data: Path, lock: str) -> bool:
    """Whether its holder lives."""
    return not _shared(data, lock, fcntl.LOCK_NB)


def wait_until_free(data: Path, lock: str) -> None:
    """Come back once its holder is gone, however it went."""
    _shared(data, lock, 0)


@contextlib.contextmanager
def taken(data: Path, lock: str) -> Iterator[bool]:
    """Hold it; False when another does, or nobody ever did."""
    try:
        file = os.open(data / lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(file)


def _shared(data: Path, lock: str, how: int) -> bool:
    try:
        file = os.open(data / lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | how)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True
