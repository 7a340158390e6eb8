"""The machine's own floor: a bare posix_spawn loop over the same command line, without any server."""

from __future__ import annotations

import os
import signal
import time

from bench.load import Burst

_SHELL = "/bin/sh"


def spawn(script: str) -> int:
    """Start a script as both servers do, and return its pid."""
    arguments = [_SHELL, "-e", "-c", script]
    return os.posix_spawn(_SHELL, arguments, os.environ, setsigdef=[signal.SIGPIPE])


def spawn_loop(
    script: str, *, in_flight: int, seconds: float | None = None, count: int | None = None
) -> Burst:
    """Keep `in_flight` copies of a script alive, for some seconds or a number of times."""
    begun = time.perf_counter()
    started = {}
    latencies: list[float] = []
    left = count if count is not None else 1 << 62
    for _ in range(min(in_flight, left)):
        started[spawn(script)] = time.perf_counter()
        left -= 1
    while started:
        pid, status = os.waitpid(0, 0)  # of this process group: the servers have sessions of their own
        now = time.perf_counter()
        if status != 0:
            raise RuntimeError(f"{script!r} ended with status {status}")
        latencies.append(now - started.pop(pid))
        if left > 0 and (seconds is None or now - begun < seconds):
            started[spawn(script)] = time.perf_counter()
            left -= 1
    return Burst(elapsed=time.perf_counter() - begun, latencies=latencies, bodies=[])
