"""`wait=true` runs of `true`: the rate at 32 clients and the latency at one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.floor import spawn_loop
from bench.load import BadAnswer, Burst, drive, post

if TYPE_CHECKING:
    from bench.load import Address
    from bench.server import Server
    from bench.setting import Setting

_CLIENTS = 32
_CONFIG = '[tasks.noop]\nrun = "true"\nmax_concurrent = 64\n'


def measure(setting: Setting) -> list[Line]:
    """Both servers and the floor in turn, several rounds; medians of the rounds."""
    rounds, seconds, count = (3, 1.0, 100) if setting.quick else (5, 3.0, 300)
    with setting.both("wait", _CONFIG) as (rota, runwisp):
        doors: dict[str, tuple[Server, Address, bytes]] = {
            "Rota": (rota, rota.socket, post(rota.run_path("noop"))),
            "TCP": (rota, ("127.0.0.1", rota.port), post(rota.run_path("noop"), token=rota.token)),
        }
        if runwisp is not None:
            doors["RunWisp"] = (runwisp, runwisp.socket, post(runwisp.run_path("noop")))
        for server, address, request in doors.values():
            _checked(server, drive(address, request, clients=_CLIENTS, count=200))  # warms it up
        many: dict[str, list[Burst]] = {name: [] for name in (*doors, "floor")}
        one: dict[str, list[Burst]] = {name: [] for name in (*doors, "floor")}
        for turn in range(1, rounds + 1):
            setting.say(f"wait: round {turn} of {rounds}")
            for name, (server, address, request) in doors.items():
                many[name].append(
                    _checked(server, drive(address, request, clients=_CLIENTS, seconds=seconds))
                )
            many["floor"].append(spawn_loop("true", in_flight=4, seconds=seconds))
            for name, (server, address, request) in doors.items():
                one[name].append(_checked(server, drive(address, request, clients=1, count=count)))
            one["floor"].append(spawn_loop("true", in_flight=1, count=count))
    return [*_rates(many), *_latencies(one)]


def _rates(bursts: dict[str, list[Burst]]) -> list[Line]:
    rates = {name: median([burst.rate for burst in those]) for name, those in bursts.items() if those}
    return [
        Line(
            name=f"wait=true runs of `true`, {_CLIENTS} clients",
            unit=Unit.RATE,
            rota=rates["Rota"],
            runwisp=rates.get("RunWisp"),
            floor=rates["floor"],
            bar=Bar(value=3, better=Better.MORE, of_runwisp=True),
        ),
        Line(name="the same over TCP, with the token", unit=Unit.RATE, rota=rates["TCP"]),
    ]


def _latencies(bursts: dict[str, list[Burst]]) -> list[Line]:
    def figure(name: str, share: float) -> float | None:
        those = bursts.get(name)
        return median([percentile(burst.latencies, share) for burst in those]) * 1000 if those else None

    return [
        Line(
            name="the same, 1 client: median latency",
            unit=Unit.MS,
            rota=figure("Rota", 0.5),
            runwisp=figure("RunWisp", 0.5),
            floor=figure("floor", 0.5),
            bar=Bar(value=0.6, better=Better.LESS, of_runwisp=True),
        ),
        Line(
            name="the same, 1 client: p99 latency",
            unit=Unit.MS,
            rota=figure("Rota", 0.99),
            runwisp=figure("RunWisp", 0.99),
            floor=figure("floor", 0.99),
        ),
    ]


def _checked(server: Server, burst: Burst) -> Burst:
    """The burst, once every answer in it is known to be a run that ended well."""
    for body in burst.bodies:
        if not server.ended_well(json.loads(body)):
            raise BadAnswer(f"{server.name} answered a run that has not ended well: {body[:500]!r}")
    return burst
