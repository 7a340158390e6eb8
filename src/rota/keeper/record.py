"""The run's own file: created before the fork, closed with the exit. Standard library only.

It makes a spawn happen once (creation is exclusive), tells a new keeper which survivors are its own, and
keeps the exit when keeper, server or database are gone. Lines of JSON: what was asked, the process, the
exit. The environment and the arguments are never in it. It is removed when the server has committed the end.
"""

from __future__ import annotations

import os

from rota.keeper.protocol import ProtocolError, decode, encode
from rota.logs import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


def create(data: str, run_id: str, about: dict[str, Any]) -> int:
    """Open the file of a new run, with its first line; FileExistsError when the run was spawned before."""
    where = place.path(data, run_id, place.RECORD)
    try:
        fd = os.open(where, _CREATE, 0o600)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(where), mode=0o700, exist_ok=True)
        fd = os.open(where, _CREATE, 0o600)
    try:
        add(fd, about)
    except OSError:
        os.close(fd)
        os.unlink(where)
        raise
    return fd


def add(fd: int, line: dict[str, Any]) -> None:
    """Append one line. It begins on a line of its own even when a full disk cut the one before it short."""
    os.write(fd, b"\n" + encode(line))


def read(data: str, run_id: str) -> dict[str, Any] | None:
    """Everything on file of a run, later lines over earlier ones; None when there is no file."""
    try:
        with open(place.path(data, run_id, place.RECORD), "rb") as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return None
    merged: dict[str, Any] = {}
    for line in filter(None, lines):
        try:
            merged.update(decode(line))
        except ProtocolError:
            continue  # it was cut short by a crash or a full disk
    return merged


def remove(data: str, run_id: str) -> None:
    """Remove the file; it may be gone already."""
    try:
        os.unlink(place.path(data, run_id, place.RECORD))
    except FileNotFoundError:
        pass


def exists(data: str, run_id: str) -> bool:
    """Whether the run has a file."""
    return os.path.exists(place.path(data, run_id, place.RECORD))
