"""Resident memory: server and keeper when idle, and the keeper after thousands of runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit
from bench.load import drive, post
from bench.process import resident

if TYPE_CHECKING:
    from bench.rota import Rota
    from bench.setting import Setting

_MB = 1_000_000
_FIRST = 1_000
#: The timeout is far beyond any run's end: what a run leaves of it must not add up.
_CONFIG = '[tasks.noop]\nrun = "true"\nmax_concurrent = 64\ntimeout = "1h"\n'


def measure(setting: Setting) -> list[Line]:
    """Idle first, then the keeper's growth between its thousandth run and its last."""
    runs = 3_000 if setting.quick else setting.runs
    with setting.both("memory", _CONFIG) as (rota, runwisp):
        time.sleep(5)  # both have settled
        together = sum(resident(pid) for pid in rota.pids) / _MB
        keeper = _keeper(rota)
        peer = None if runwisp is None else sum(resident(pid) for pid in runwisp.pids) / _MB
        setting.say(f"memory: {runs:,} runs")
        request = post(rota.run_path("noop"))
        drive(rota.socket, request, clients=32, count=_FIRST)
        early = _keeper(rota)
        drive(rota.socket, request, clients=32, count=runs - _FIRST)
        late = _keeper(rota)
        busy = sum(resident(pid) for pid in rota.pids) / _MB
    return [
        Line(
            name="idle memory: server and keeper",
            unit=Unit.MB,
            rota=together,
            runwisp=peer,
            bar=Bar(value=110, better=Better.LESS),
        ),
        Line(
            name="idle memory: the keeper",
            unit=Unit.MB,
            rota=keeper,
            bar=Bar(value=15, better=Better.LESS, strict=True),
        ),
        Line(
            name=f"keeper's growth from {_FIRST:,} to {runs:,} runs",
            unit=Unit.MB,
            rota=late - early,
            bar=Bar(value=1, better=Better.LESS, strict=True),
        ),
        Line(name=f"server and keeper after {runs:,} runs", unit=Unit.MB, rota=busy),
    ]


def _keeper(rota: Rota) -> float:
    (keeper,) = rota.keepers
    return resident(keeper) / _MB
