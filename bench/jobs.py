"""Jobs: how soon a command has its id, and how soon any of 100,000 past jobs is told of."""

from __future__ import annotations

import http.client
import json
import random
import sqlite3
import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.load import drive

if TYPE_CHECKING:
    from bench.rota import Rota
    from bench.setting import Setting

PAST = 100_000
_CONFIG = "[jobs]\nmax_concurrent = 64\nmax_queued = 1000\n"
_JOB = {
    "command": ["true"],
    "name": "bench",
    "tags": ["bench"],
    "env": {f"VARIABLE_{number}": "some text of an ordinary length" for number in range(40)},
}


def measure(setting: Setting) -> list[Line]:
    """Starts one after the other, then look-ups among many."""
    starts, looks = (100, 500) if setting.quick else (500, 3000)
    rota = setting.rota("jobs", _CONFIG)
    try:
        rota.start()
        _start(rota, 20)  # warms it up, and leaves a job to copy
        rota.stop()
        setting.say(f"jobs: {PAST:,} past ones")
        ids = fill(rota)
        rota.start()
        setting.say("jobs: starts, and look-ups")
        started = _start(rota, starts)
        found = _times(rota, [f"/api/runs/{random.choice(ids)}" for _ in range(looks)])
        lists = {
            name: _times(rota, [f"/api/jobs?limit=20&{query}"] * 100)
            for name, query in (("newest", ""), ("by tag", "tag=rare"), ("running", "status=running"))
        }
    finally:
        rota.stop()

    def line(name: str, seconds: float, bar: float | None = None) -> Line:
        limit = None if bar is None else Bar(value=bar, better=Better.LESS, strict=True)
        return Line(name=name, unit=Unit.MS, rota=seconds * 1000, bar=limit)

    return [
        line("POST /api/jobs over TCP, 40 variables: median until the id", median(started), 15),
        line("the same: p99", percentile(started, 0.99)),
        line(f"one of {PAST:,} past jobs: p99", percentile(found, 0.99), 15),
        *(line(f"20 of them, {name}: p99", percentile(times, 0.99)) for name, times in lists.items()),
    ]


def _start(rota: Rota, count: int) -> list[float]:
    body = json.dumps(_JOB).encode()
    head = (
        "POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {rota.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return drive(("127.0.0.1", rota.port), head.encode() + body, clients=1, count=count).latencies


def _times(rota: Rota, paths: list[str]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", rota.port, timeout=30)
    taken = []
    for path in paths:
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {rota.token}"})
        answer = connection.getresponse()
        answer.read()
        taken.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}")
    connection.close()
    return taken


def fill(rota: Rota) -> list[str]:
    """Copies of a job that has ended, older than it; every thousandth with a tag of its own."""
    database = sqlite3.connect(rota.data / "rota.db")
    database.row_factory = sqlite3.Row
    (job,) = database.execute("SELECT * FROM runs WHERE status = 'ended' LIMIT 1").fetchall()
    columns = job.keys()
    made = job["created_at"] // 1000
    ids = [_id(made - PAST + number) for number in range(PAST)]
    with database:
        database.executemany(
            f"INSERT INTO runs VALUES ({', '.join('?' * len(columns))})",
            (
                tuple((dict(job) | {"id": run_id, "created_at": (made - PAST + number) * 1000}).values())
                for number, run_id in enumerate(ids)
            ),
        )
        tagged = [("bench", run_id) for run_id in ids] + [("rare", run_id) for run_id in ids[::1000]]
        database.executemany("INSERT INTO tags VALUES (?, ?)", tagged)
    database.close()
    return ids


def _id(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}7{random.getrandbits(12):03x}{(1 << 63) | random.getrandbits(62):016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
