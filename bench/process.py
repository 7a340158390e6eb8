"""A process as /proc tells it: its memory, its processor time, and whose it is."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def resident(pid: int) -> int:
    """Resident memory in bytes."""
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no memory")


def processor_time(pid: int) -> float:
    """Seconds of user and system time so far, without children."""
    stat = (_PROC / str(pid) / "stat").read_text()
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return (int(fields[11]) + int(fields[12])) / _TICK


def with_argument(*needles: str) -> list[int]:
    """Processes whose command line holds every one of these texts."""
    return [pid for pid in _pids() if all(needle.encode() in _bytes(pid, "cmdline") for needle in needles)]


def environments(name: str) -> dict[int, dict[str, str]]:
    """The first environment of each process that was started with this variable, zombies aside."""
    found = {}
    for pid in _pids():
        entries = _bytes(pid, "environ").decode(errors="replace").split("\0")
        variables = dict(entry.split("=", 1) for entry in entries if "=" in entry)
        if name in variables:
            found[pid] = variables
    return found


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]


def _bytes(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # it has ended since, or is another user's
        return b""
