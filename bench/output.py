"""Output: short lines and 1 GB of `yes` on their way into a log, and 100 runs that write at once."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit, median
from bench.floor import spawn
from bench.process import resident

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.server import Server
    from bench.setting import Setting

_MB = 1_000_000
_LINES = 3_000_000
_SEQ = f"seq 1 {_LINES}"
_WRITERS = 100
_CONFIG = """
[tasks.seq]
run = "{seq}"

[tasks.yes]
run = "{yes}"
log_max_size = "2GB"

[tasks.chatty]
run = "exec yes"
max_concurrent = {writers}
log_max_size = "{cap}"
timeout = "2m"
"""


def measure(setting: Setting) -> list[Line]:
    """Servers and floor in turn, medians of the rounds; then the writers, one server after the other."""
    rounds, size, seconds = (2, 100 * _MB, 2.0) if setting.quick else (5, 1000 * _MB, 5.0)
    yes = f"yes | head -c {size}"
    # RunWisp keeps what is dropped in a second file, so that its first one would not tell how much came.
    ours, theirs = (_CONFIG.format(seq=_SEQ, yes=yes, writers=_WRITERS, cap=cap) for cap in ("4MB", "1GB"))
    seq: dict[str, list[float]] = {}
    much: dict[str, list[float]] = {}
    with setting.both("output", ours, theirs) as servers:
        present = [server for server in servers if server is not None]
        for turn in range(1, rounds + 1):
            setting.say(f"output: round {turn} of {rounds}")
            for server in present:
                seq.setdefault(server.name, []).append(_run(server, "seq", lines=_LINES))
            seq.setdefault("floor", []).append(_floor(_SEQ, setting.folder / "floor"))
            much.setdefault("Rota", []).append(_run(servers[0], "yes", lines=size // 2))
            much.setdefault("floor", []).append(_floor(yes, setting.folder / "floor"))
        together = [_together(setting, server, seconds) for server in present]
    return [*_throughput(seq, much, size), *_writers(together)]


def _throughput(
    seq: Mapping[str, Sequence[float]], much: Mapping[str, Sequence[float]], size: int
) -> list[Line]:
    lines = {name: _LINES / median(taken) for name, taken in seq.items()}
    bytes_ = {name: size / _MB / median(taken) for name, taken in much.items()}
    half = Bar(value=0.5, better=Better.MORE, of_floor=True)
    return [
        Line(
            name=f"lines of `{_SEQ}`, wait=true",
            unit=Unit.RATE,
            rota=lines["Rota"],
            runwisp=lines.get("RunWisp"),
            bar=Bar(value=60, better=Better.MORE, of_runwisp=True),
        ),
        Line(
            name="the same, beside a plain pipe into a file",
            unit=Unit.RATE,
            rota=lines["Rota"],
            floor=lines["floor"],
            bar=half,
        ),
        Line(
            name=f"{size // _MB:,} MB of `yes`, wait=true",
            unit=Unit.MB_RATE,
            rota=bytes_["Rota"],
            floor=bytes_["floor"],
            bar=half,
        ),
    ]


def _run(server: Server, task: str, *, lines: int) -> float:
    """Seconds of one run, all of whose lines must be there."""
    os.sync()  # what was written before must not be in the way
    begun = time.perf_counter()
    run_id = server.run(task)
    taken = time.perf_counter() - begun
    found = server.total_lines(json.loads(server.get(server.tail_path(run_id, 1))))
    if found != lines:
        raise RuntimeError(f"{server.name}: {task} has {found} of {lines} lines")
    return taken


def _floor(script: str, path: Path) -> float:
    """Seconds of the same bytes, through a plain pipe into a file."""
    os.sync()
    begun = time.perf_counter()
    _, status = os.waitpid(spawn(f"{script} | cat > {path}"), 0)
    taken = time.perf_counter() - begun
    if status != 0:
        raise RuntimeError(f"{script!r} ended with status {status}")
    path.unlink()
    return taken


def _together(setting: Setting, server: Server, seconds: float) -> tuple[float, float]:
    """What the slowest of many writers got of what the fastest got, and the memory of who took it."""
    before = set(server.log_files)
    setting.say(f"output: {_WRITERS} runs write at once, {server.name}")
    for _ in range(_WRITERS):
        server.begin("chatty")
    first: dict[Path, int] = {}
    deadline = time.monotonic() + 30
    while len(first) < _WRITERS and time.monotonic() < deadline:
        time.sleep(0.2)
        first = {path: size for path in set(server.log_files) - before if (size := path.stat().st_size)}
    time.sleep(seconds)
    written = [path.stat().st_size - size for path, size in first.items()]
    written += [0] * (_WRITERS - len(first))  # starved from the first byte on
    memory = max(resident(pid) for pid in server.pids[-1:]) / _MB
    server.stop()
    return min(written) / max(written), memory


def _writers(together: Sequence[tuple[float, float]]) -> list[Line]:
    (share, memory), *peer = together
    return [
        Line(
            name=f"{_WRITERS} runs write at once: slowest, of the fastest",
            unit=Unit.COUNT,
            rota=share,
            runwisp=peer[0][0] if peer else None,
            bar=Bar(value=0.25, better=Better.MORE),
        ),
        Line(
            name="the same: memory of the keeper",
            unit=Unit.MB,
            rota=memory,
            runwisp=peer[0][1] if peer else None,
            bar=Bar(value=40, better=Better.LESS, strict=True),
        ),
    ]
