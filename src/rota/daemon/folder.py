"""The data folder: its owner's alone, and served by one server at a time."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING

from rota.model.error import Unusable

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "server.lock"

#: Bytes of its path: SQLite opens no file of 512 or more, and adds the database's name and `-journal`.
LONGEST = 490

#: Seconds in which a lock that is taken may come free: others look for a moment whether it is held.
PATIENCE = 0.5
_PAUSE = 0.02


def prepare(data: Path) -> None:
    """Make the folder, or see that only its owner, and that is us, may write there. Raises Unusable."""
    name = os.fsencode(data)
    if len(name) > LONGEST:
        raise Unusable(
            f"the path of the data folder {data} has {len(name)} bytes, and SQLite takes {LONGEST} of them; "
            "choose another with --data"
        )
    if not _is_utf8(name):
        raise Unusable(f"the path of the data folder {name!r} is not UTF-8; choose another with --data")
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = data.stat()
    except FileExistsError as error:
        raise Unusable(f"{data} is a file; choose a data folder with --data") from error
    except OSError as error:
        raise Unusable(
            f"the data folder {data} cannot be made: {error.strerror}; choose another with --data"
        ) from error
    if found.st_uid != os.geteuid():
        raise Unusable(f"the data folder {data} belongs to another user; choose another with --data")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unusable(f"others may write to the data folder {data}; mend that with `chmod 700 {data}`")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        data.chmod(0o700)  # logs and the token are for nobody else to read


def hold(data: Path) -> None:
    """Take the folder's lock, which ends with the process, however that ends; Unusable when it is taken.

    Nothing else gives it up: whoever waits for it waits for the process, and for the last of it.
    """
    try:
        file = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unusable(f"the data folder {data} cannot be written: {error.strerror}") from error
    try:
        _lock(file, data)
        os.truncate(file, 0)
        os.pwrite(file, b"%d\n" % os.getpid(), 0)
    except OSError as error:
        os.close(file)
        raise Unusable(f"the data folder {data} cannot be written: {error.strerror}") from error
    except BaseException:
        os.close(file)
        raise


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lock(file: int, data: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unusable(_taken(file, data)) from None
            time.sleep(_PAUSE)
        else:
            return


def _taken(file: int, data: Path) -> str:
    pid = os.pread(file, 20, 0).decode("ascii", "replace").strip()
    who = f"the process {pid}" if pid else "another process"
    return (
        f"{who} serves the data folder {data} already; end that server with `kill {pid}` (its runs go on), "
        "or choose another folder with --data"
    )
