"""Ports: whether a process of a run listens on one, as the kernel tells in `/proc`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rota.keeper import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTEN = b"0A"  # the state of a socket that accepts


def listens(pid: int, run_id: str, port: int) -> bool:
    """Whether a process of the run with this main process accepts connections on the TCP port."""
    sockets = _listening(pid, port)
    if not sockets:
        return False
    return any(_has_one(each, sockets) for each in _processes(pid, run_id))


def _listening(pid: int, port: int) -> frozenset[str]:
    """How `/proc/…/fd` names the sockets on this port, in the network that the process sees."""
    wanted = b"%04X" % port
    found = set()
    for family in ("tcp", "tcp6"):
        # Where the main process is gone, its network is taken for ours.
        lines = _lines(f"/proc/{pid}/net/{family}") or _lines(f"/proc/self/net/{family}")
        for line in lines[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and fields[1].rpartition(b":")[2] == wanted:
                found.add(f"socket:[{int(fields[9])}]")
    return frozenset(found)


def _lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  as everywhere with /proc
            return file.readlines()
    except OSError:
        return []


def _processes(pid: int, run_id: str) -> Iterator[int]:
    below = tree.descendants([pid])
    yield from below
    seen = set(below)
    for each in tree.processes():
        if each not in seen and (tree.run_of(each) == run_id or _session(each) == pid):
            yield each


def _session(pid: int) -> int | None:
    found = tree.stat(pid)
    return None if found is None else found[2]


def _has_one(pid: int, sockets: frozenset[str]) -> bool:
    where = f"/proc/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(where):  # noqa: PTH208  as everywhere with /proc
            with suppress(OSError):
                if os.readlink(f"{where}/{name}") in sockets:  # noqa: PTH115  as above
                    return True
    return False
