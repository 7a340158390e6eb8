"""10,000 tasks with schedules: how soon ready, how idle, and how quick `rota list` is."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit, median
from bench.process import processor_time
from bench.server import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.server import Server
    from bench.setting import Setting

_TASKS = 10_000
_ONE_TASK = '[tasks.noop]\nrun = "true"\n'


def measure(setting: Setting) -> list[Line]:
    """Fresh starts in turn, then both idle side by side, then the list command."""
    starts, idle, calls = (1, 5.0, 5) if setting.quick else (3, 25.0, 20)
    config = _config()
    fresh, again = _starts(setting, config, starts)
    with setting.both("many", config) as servers:
        present = [server for server in servers if server is not None]
        setting.say(f"many: idle for {idle:.0f} s")
        used = _idle(present, idle)
        setting.say("many: the list command")
        lists = {server.name: _list(server, 5) for server in present}
    with setting.both("few", _ONE_TASK) as servers:
        few = {server.name: _list(server, calls) for server in servers if server is not None}

    def line(name: str, unit: Unit, figures: Mapping[str, float], under: float | None = None) -> Line:
        bar = None if under is None else Bar(value=under, better=Better.LESS, strict=True)
        return Line(name=name, unit=unit, rota=figures["Rota"], runwisp=figures.get("RunWisp"), bar=bar)

    return [
        line(f"{_TASKS:,} schedules: ready, new data folder", Unit.SECONDS, fresh, under=3),
        line("the same: ready, known data folder", Unit.SECONDS, again, under=3),
        line("the same: idle processor time", Unit.CORE, used, under=1),
        line("the same: the list command", Unit.MS, lists),
        line("the list command, one task", Unit.MS, few, under=150),
    ]


def _config() -> str:
    """Schedules of all minutes and hours, none of which comes due while we look."""
    today = datetime.now(UTC).isoweekday()
    days = [(today + ahead) % 7 for ahead in (2, 3, 4, 5)]
    return "\n".join(
        f"[tasks.task-{number}]\nrun = 'true'\n"
        f"cron = '{number % 60} {number // 60 % 24} * * {days[number % len(days)]}'\n"
        for number in range(_TASKS)
    )


def _starts(setting: Setting, config: str, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds to ready by server, in a new data folder and in the same one again."""
    fresh: dict[str, list[float]] = {}
    again: dict[str, list[float]] = {}
    for number in range(1, count + 1):
        setting.say(f"many: start {number} of {count}")
        servers = (setting.rota(f"start-{number}", config), setting.peer(f"start-{number}", config))
        for taken in (fresh, again):
            for server in servers:
                if server is not None:
                    taken.setdefault(server.name, []).append(_start_and_stop(server))
    return _medians(fresh), _medians(again)


def _start_and_stop(server: Server) -> float:
    try:
        return server.start()
    finally:
        server.stop()


def _idle(servers: Sequence[Server], seconds: float) -> dict[str, float]:
    """Share of a core, in percent, that each server takes while nobody asks anything of it."""
    time.sleep(2)  # what a start leaves to do is not idleness
    before = {server.name: _used(server) for server in servers}
    begun = time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - begun
    return {server.name: 100 * (_used(server) - before[server.name]) / elapsed for server in servers}


def _used(server: Server) -> float:
    return sum(processor_time(pid) for pid in server.pids)


def _list(server: Server, calls: int) -> float:
    """Milliseconds of one `list`, warm, its output thrown away."""
    taken = []
    for _ in range(calls + 1):
        begun = time.perf_counter()
        subprocess.run(
            server.cli("list"),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        taken.append(time.perf_counter() - begun)
    return median(taken[1:]) * 1000  # the first one warms the disk's cache


def _medians(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: median(samples) for name, samples in taken.items()}
