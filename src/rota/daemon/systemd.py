"""Systemd: tells it how the server is, and finds out whether it would end the keeper with the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

#: Seconds that systemd may take to answer.
PATIENCE = 5.0


def notify(state: str) -> None:
    """Send a state such as `READY=1`, if systemd wants to know (sd_notify(3))."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), address)  # nobody who listens is no reason not to serve


def _unit_of(cgroup: str) -> str:
    """The unit that a control group is of, which may lie below the unit's own (`DelegateSubgroup=`)."""
    names = cgroup.split("/")
    return next((name for name in reversed(names) if name.endswith((".service", ".scope"))), names[-1])


def notify_reloading() -> None:
    """Say that a reload is under way; `READY=1` says that it is over (systemd.service(5), notify-reload)."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


async def warn_of_kill_mode() -> None:
    """Log a warning when this is a unit's main process, and a restart of the unit would kill the runs."""
    if os.environ.get("SYSTEMD_EXEC_PID") != str(os.getpid()):
        return
    cgroup = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip()  # noqa: ASYNC240  it has no disk
    unit = _unit_of(cgroup)
    manager = ["--user"] if "/user@" in cgroup else []
    try:
        asked = await asyncio.create_subprocess_exec(
            *("systemctl", *manager, "show", "--property=KillMode", "--value", unit),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(PATIENCE):
            said, _ = await asked.communicate()
    except (OSError, TimeoutError):
        return
    kill_mode = said.decode().strip()
    if kill_mode not in ("", "process", "none"):
        log.warning(
            "a stop or restart of the unit kills the keeper and every run; set KillMode=process in it",
            unit=unit,
            kill_mode=kill_mode,
        )
