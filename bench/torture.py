"""The torture: requests repeated on broken connections while the server is killed, again and again."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bench.figures import Bar, Better, Line, Unit
from bench.process import environments
from bench.rota import Rota
from bench.server import connect

if TYPE_CHECKING:
    from pathlib import Path

    from bench.setting import Setting

_CLIENTS = 8
_ANSWER_WITHIN = 60.0
_MARK = "TORTURE_MARK"

#: How long each task sleeps, and the exit code that its run must end with.
_TASKS = {"quick": (0.0, 0), "short": (0.05, 3), "long": (0.4, 7)}


@dataclass(kw_only=True, slots=True)
class Ordeal:
    """What was done to the server, what came of it, and what was wrong with that."""

    seed: int
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    kills: int = 0
    repeats: int = 0  #: requests sent again with their key
    ticks: int = 0
    answers: dict[str, tuple[str, set[str]]] = field(default_factory=dict)  #: key → task, run ids
    faults: list[str] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """How many runs were asked for."""
        return len(self.answers)


def measure(setting: Setting) -> list[Line]:
    """The full form, or a tenth of it."""
    runs, kills = (200, 4) if setting.quick else (2_000, 20)
    seed = random.SystemRandom().randrange(1 << 32)
    setting.say(f"torture: {runs:,} runs, {kills} kills, seed {seed}")
    ordeal = torture(setting.folder / "torture", runs=runs, kills=kills, seed=seed)
    for fault in ordeal.faults:
        setting.say(f"torture: {fault}")
    return [
        Line(
            name=f"torture: {ordeal.runs:,} runs, {ordeal.ticks} ticks, {ordeal.kills} x kill -9: faults",
            unit=Unit.COUNT,
            rota=len(ordeal.faults),
            bar=Bar(value=0, better=Better.LESS),
        )
    ]


def torture(folder: Path, *, runs: int, kills: int, seed: int) -> Ordeal:
    """Ask for at least `runs` runs while the server dies `kills` times, then hold the books against it."""
    ordeal = Ordeal(seed=seed)
    starts = folder / "starts"
    rota = Rota(folder / "rota", _config(starts, ordeal.mark))
    enough = threading.Event()
    with ExitStack() as stack:
        stack.callback(rota.stop)
        pool = stack.enter_context(ThreadPoolExecutor(_CLIENTS))
        stack.callback(enough.set)  # before the pool waits for its threads, however this ends
        rota.start()
        clients = [pool.submit(_ask_on, rota, ordeal, number, enough) for number in range(_CLIENTS)]
        _kill_on(rota, ordeal, kills)
        while ordeal.runs < runs and not any(client.done() for client in clients):
            time.sleep(0.05)
        enough.set()
        for client in clients:
            client.result()
        _audit(rota, ordeal, starts)
    left = environments(_MARK)
    ordeal.faults += [
        f"process {pid} of run {variables.get('ROTA_RUN_ID')} outlived the shutdown"
        for pid, variables in left.items()
        if variables[_MARK] == ordeal.mark
    ]
    ordeal.faults += [f"keeper {pid} outlived the shutdown" for pid in rota.keepers]
    return ordeal


def _config(starts: Path, mark: str) -> str:
    book = f'echo "$ROTA_RUN_ID ${{ROTA_SCHEDULED_AT:-}}" >> {starts}'
    tables = [f"[defaults]\nenv = {{ {_MARK} = '{mark}' }}\n"]
    tables += [
        f"[tasks.{name}]\nmax_concurrent = 4\nmax_queued = 1000\n"
        f"run = '''\n{book}\necho begin $ROTA_RUN_ID\nsleep {pause}\necho end >&2\nexit {code}\n'''\n"
        for name, (pause, code) in _TASKS.items()
    ]
    tables.append(f"[tasks.tick]\ncron = '* * * * * *'\nrun = '''{book}'''\n")
    return "\n".join(tables)


def _kill_on(rota: Rota, ordeal: Ordeal, kills: int) -> None:
    """Kill the server at random moments: in the middle of its work, and of its start."""
    moments = random.Random(ordeal.seed)
    while ordeal.kills < kills:
        time.sleep(moments.uniform(0.05, 1.2))
        rota.kill()
        ordeal.kills += 1
        if ordeal.kills < kills and moments.random() < 0.25:
            rota.launch()
            time.sleep(moments.uniform(0.0, 0.6))
            rota.kill()
            ordeal.kills += 1
        rota.start()


def _ask_on(rota: Rota, ordeal: Ordeal, client: int, enough: threading.Event) -> None:
    tasks = random.Random(ordeal.seed + client)
    while not enough.is_set():
        _ask(rota, ordeal, tasks.choice(list(_TASKS)), uuid.uuid4().hex)


def _ask(rota: Rota, ordeal: Ordeal, task: str, key: str) -> None:
    """One request, repeated with its key until the run that it started has ended."""
    seen: set[str] = set()
    ordeal.answers[key] = task, seen
    deadline = time.monotonic() + _ANSWER_WITHIN
    while time.monotonic() < deadline:
        status, run = _answer(rota, task, key)
        if status == 201:
            seen.add(run["id"])
            if run["status"] == "ended":
                return
        elif status not in (None, 503):
            ordeal.faults.append(f"key {key} was answered {status}: {run}")
            return
        ordeal.repeats += 1
        time.sleep(0.02)
    ordeal.faults.append(f"key {key} had no final answer within {_ANSWER_WITHIN:.0f} s")


def _answer(rota: Rota, task: str, key: str) -> tuple[int | None, Any]:
    """Status and body of one attempt; None for a connection that broke or was refused."""
    try:
        connection = connect(rota.socket)
    except OSError:
        return None, None
    try:
        connection.request("POST", rota.run_path(task), headers={"Idempotency-Key": key})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None, None
    finally:
        connection.close()


def _audit(rota: Rota, ordeal: Ordeal, starts: Path) -> None:
    """Compare what was asked for, what was recorded, what really started, and what still lives."""
    asked_until = datetime.now(UTC)
    recorded = _settled(rota, asked_until, ordeal)
    started = Counter(line.split()[0] for line in starts.read_text().splitlines())
    everything = {run["id"]: run for run in _runs(rota)}  # after `started`, so that it knows each of them
    fault = ordeal.faults.append

    for key, (task, seen) in ordeal.answers.items():
        if len(seen) != 1:
            fault(f"key {key} of task {task} started {len(seen)} runs: {sorted(seen)}")
    asked = {run_id: task for task, seen in ordeal.answers.values() for run_id in seen}
    if len(asked) != sum(len(seen) for _, seen in ordeal.answers.values()):
        fault("two keys were answered with one run")
    for run_id, run in recorded.items():
        if run["triggered_by"] == "api" and run_id not in asked:
            fault(f"run {run_id} of {run['task_name']} was started by no key")
    for run_id in asked.keys() - recorded.keys():
        fault(f"run {run_id} of {asked[run_id]} is not on record")
    for run_id, run in recorded.items():
        if (count := started[run_id]) != 1:
            fault(f"run {run_id} of {run['task_name']} ({run['end_reason']}) really started {count} times")
        _check_end(rota, run, fault)
    for run_id in started.keys() - everything.keys():
        fault(f"a process of run {run_id} started, and that run is not on record")
    _check_ticks(recorded, ordeal)
    for pid, variables in environments(_MARK).items():
        if variables[_MARK] == ordeal.mark and variables.get("ROTA_RUN_ID") in recorded:
            fault(f"process {pid} outlived its run {variables['ROTA_RUN_ID']}")


def _settled(rota: Rota, until: datetime, ordeal: Ordeal) -> dict[str, dict[str, Any]]:
    """Every run created before `until`, by id, once all of them have ended."""
    deadline = time.monotonic() + _ANSWER_WITHIN
    while True:
        runs = [run for run in _runs(rota) if datetime.fromisoformat(run["created_at"]) < until]
        still = [run for run in runs if run["status"] != "ended"]
        if not still or time.monotonic() > deadline:
            ordeal.faults += [f"run {run['id']} is still {run['status']}" for run in still]
            return {run["id"]: run for run in runs}
        time.sleep(0.1)


def _runs(rota: Rota) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []
    path = "/api/runs?limit=1000"
    while True:
        page = json.loads(rota.get(path))
        runs += page["items"]
        if page["next_cursor"] is None:
            return runs
        path = f"/api/runs?limit=1000&cursor={page['next_cursor']}"


def _check_end(rota: Rota, run: dict[str, Any], fault: Any) -> None:
    """Exit code, end reason and output are those of the program."""
    code = _TASKS.get(run["task_name"], (0.0, 0))[1]
    expected = code, "failed" if code else "success"
    if (run["exit_code"], run["end_reason"]) != expected:
        fault(
            f"run {run['id']} of {run['task_name']} ended as {run['end_reason']} with {run['exit_code']} "
            f"and signal {run['signal']}, not as {expected}"
        )
    if run["task_name"] in _TASKS:
        output = rota.get(f"/api/runs/{run['id']}/log/raw").splitlines()
        wanted = [f"begin {run['id']}".encode(), b"end"]
        if sorted(output) != wanted:  # two streams have no common order
            fault(f"run {run['id']} of {run['task_name']} has the output {output}, not {wanted}")


def _check_ticks(recorded: dict[str, dict[str, Any]], ordeal: Ordeal) -> None:
    """Each second from the first tick to the last has exactly one run."""
    ticks = Counter(
        datetime.fromisoformat(run["scheduled_at"]) for run in recorded.values() if run["task_name"] == "tick"
    )
    ordeal.ticks = len(ticks)
    if not ticks:
        ordeal.faults.append("no tick ran at all")
        return
    moment = min(ticks)
    while moment <= max(ticks):
        if ticks[moment] != 1:
            ordeal.faults.append(f"the tick of {moment.isoformat()} has {ticks[moment]} runs")
        moment += timedelta(seconds=1)
