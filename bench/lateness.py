"""200 tasks due at the same second: how late each starts, by the clock of the child itself."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from bench.clock import available, make_clock, read_clocks
from bench.figures import Bar, Better, Line, Unit, median, percentile

if TYPE_CHECKING:
    from pathlib import Path

    from bench.setting import Setting

_TASKS = 200
_PERIOD = 6  # seconds between two ticks of one server; the other's lie in the middle


def measure(setting: Setting) -> list[Line]:
    """The servers' ticks alternate, so both meet the same machine; medians of the ticks."""
    if not available():
        setting.say("lateness: not measured; its child is a program for Linux on x86-64")
        return []
    ticks = 2 if setting.quick else 6
    program = make_clock(setting.folder / "clock")
    due = {"rota": 0, "runwisp": _PERIOD // 2}
    clocks = {name: setting.folder / f"{name}.clocks" for name in due}
    configs = {name: _config(program, clocks[name], offset) for name, offset in due.items()}
    floor = []
    with setting.both("lateness", configs["rota"], configs["runwisp"]) as (_, runwisp):
        first = (time.time() // _PERIOD + 1) * _PERIOD
        setting.say(f"lateness: {ticks} ticks of each, {ticks * _PERIOD} s")
        for tick in range(ticks):
            # Late in the second half of a period both have long started their last task.
            _sleep_until(first + tick * _PERIOD + _PERIOD - 1)
            floor.append(_floor(program, setting.folder / f"floor-{tick}.clocks"))
    if runwisp is None:
        del due["runwisp"]
    late = {name: _lateness(clocks[name], first + offset, ticks) for name, offset in due.items()}
    late["floor"] = floor
    p50, p99 = (
        {name: 1000 * median([percentile(tick, share) for tick in those]) for name, those in late.items()}
        for share in (0.5, 0.99)
    )
    bar = Bar(value=0.3, better=Better.LESS, of_runwisp=True)
    return [
        _line(f"{_TASKS} tasks due at once: lateness, p50", p50),
        _line("the same, p99", p99, bar),
    ]


def _line(name: str, figures: dict[str, float], bar: Bar | None = None) -> Line:
    return Line(
        name=name,
        unit=Unit.MS,
        rota=figures["rota"],
        runwisp=figures.get("runwisp"),
        floor=figures["floor"],
        bar=bar,
    )


def _config(program: Path, clock: Path, offset: int) -> str:
    seconds = ",".join(str(second) for second in range(offset, 60, _PERIOD))
    return "\n".join(
        f"[tasks.due-{number}]\nshell = '{program}'\nrun = '{clock}'\ncron = '{seconds} * * * * *'\n"
        for number in range(_TASKS)
    )


def _lateness(clock: Path, first: float, ticks: int) -> list[list[float]]:
    """Seconds of lateness for each tick; every task must have run once at every tick."""
    by_tick: list[list[float]] = [[] for _ in range(ticks)]
    for moment in read_clocks(clock):
        tick, late = divmod(moment - first, _PERIOD)
        if 0 <= tick < ticks:
            by_tick[int(tick)].append(late)
    for number, samples in enumerate(by_tick):
        if len(samples) != _TASKS:
            raise RuntimeError(f"{clock.stem}: tick {number} ran {len(samples)} of {_TASKS} tasks")
    return by_tick


def _floor(program: Path, clock: Path) -> list[float]:
    """The same children, spawned by a bare loop; lateness counts from its beginning."""
    begun = time.time()
    for _ in range(_TASKS):
        os.posix_spawn(program, [str(program), "-c", str(clock)], os.environ)
    for _ in range(_TASKS):
        os.waitpid(0, 0)  # of this process group: the servers have sessions of their own
    return [moment - begun for moment in read_clocks(clock)]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
