"""64 instances of a service that crashes: what they cost between two attempts, and with the attempts."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from bench.figures import Bar, Better, Line, Unit
from bench.load import BadAnswer
from bench.process import processor_time

if TYPE_CHECKING:
    from bench.rota import Rota
    from bench.setting import Setting

_INSTANCES = 64

#: The longest pause that there is, from the first attempt on: where any backoff ends up.
_CONFIG = f"""
[services.crashes]
run = "exit 1"
instances = {_INSTANCES}
restart_delay = "{{pause}}"
restart_backoff = "constant"
restart_attempts = 0
keep_runs = 1000
"""

_WITHIN = 60.0
"""Seconds in which the first attempts are over."""


def measure(setting: Setting) -> list[Line]:
    """Rota alone: RunWisp gives up on its services, and asks nothing of the processor then."""
    seconds = 5.0 if setting.quick else 25.0
    with setting.rota("services-pause", _CONFIG.format(pause="60s")) as rota:
        _wait_for_pauses(rota)
        setting.say(f"services: between attempts, for {seconds:.0f} s")
        between = _used(rota, seconds)
        attempts = sum(each["failures"] for each in _instances(rota))
    if attempts != _INSTANCES:
        raise BadAnswer(f"there were {attempts} attempts, and not {_INSTANCES}: it was no pause")
    with setting.rota("services-loop", _CONFIG.format(pause="10s")) as rota:
        _wait_for_pauses(rota)
        setting.say(f"services: an attempt each 10 s, for {2 * seconds:.0f} s")
        looping = _used(rota, 2 * seconds)
    return [
        Line(
            name=f"{_INSTANCES} crashing instances: processor time between attempts",
            unit=Unit.CORE,
            rota=between,
            bar=Bar(value=5, better=Better.LESS, strict=True),
        ),
        Line(name="the same: with an attempt of each every 10 s", unit=Unit.CORE, rota=looping),
    ]


def _instances(rota: Rota) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rota.get("/api/services/crashes"))["instances"]
    return found


def _wait_for_pauses(rota: Rota) -> None:
    deadline = time.monotonic() + _WITHIN
    while {each["state"] for each in _instances(rota)} != {"backing_off"}:
        if time.monotonic() > deadline:
            raise BadAnswer("the first attempts are not over")
        time.sleep(0.05)
    time.sleep(2)  # what they leave to be written is not a pause


def _used(rota: Rota, seconds: float) -> float:
    """Share of a core, in percent, of the server and its keeper."""
    before = sum(processor_time(pid) for pid in rota.pids)
    begun = time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - begun
    return 100 * (sum(processor_time(pid) for pid in rota.pids) - before) / elapsed
