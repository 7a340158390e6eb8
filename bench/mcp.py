"""MCP: how soon an agent has its job's id, is told of any of 100,000 past jobs, and, of 200, of an end."""

from __future__ import annotations

import http.client
import json
import random
import re
import select
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.jobs import PAST, fill
from bench.load import BadAnswer, connection_to
from bench.server import environment, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.rota import Rota
    from bench.setting import Setting

_CONFIG = "[jobs]\nmax_concurrent = 64\nmax_queued = 1000\n"
_VERSION = "2026-07-28"
_WAITING = 200
_PATIENCE = 30.0  # seconds
_START = {"command": ["true"]}

#: What 200 wait for: it writes its clock, and ends.
_UNTIL_TOLD = 'read told; exec date "+%s%N over"'
_OVER = re.compile(rb"(\d{19}) over")


def measure(setting: Setting) -> list[Line]:
    """Starts one after the other, then look-ups among many, as a client of the 2026-07-28 protocol."""
    starts, looks, rounds = (100, 500, 1) if setting.quick else (500, 3000, 5)
    setting.say("mcp: starts by the bare SDK")
    floor = _floor(starts)
    rota = setting.rota("mcp", _CONFIG)
    try:
        rota.start()
        setting.say("mcp: the first call, and starts")
        with closing(_Agent(rota.port, rota.token)) as agent:
            first = agent.times("list_jobs", [{}])
            started = agent.times("execute_command", [_START] * starts)
        rota.stop()
        setting.say(f"mcp: {PAST:,} past jobs")
        ids = fill(rota)
        rota.start()
        with closing(_Agent(rota.port, rota.token)) as agent:
            agent.times("list_jobs", [{}])
            found = agent.times("get_job_status", [{"job_id": random.choice(ids)} for _ in range(looks)])
            listed = agent.times("list_jobs", [{}] * 100)
            told: list[float] = []
            beside: list[float] = []
            for turn in range(1, rounds + 1):
                setting.say(f"mcp: {_WAITING} wait, round {turn} of {rounds}")
                late, meanwhile = _wait_together(rota, agent, ids)
                told += late
                beside += meanwhile
    finally:
        rota.stop()

    def line(name: str, seconds: float, bar: float | None = None, floor: float | None = None) -> Line:
        return Line(
            name=name,
            unit=Unit.MS,
            rota=seconds * 1000,
            floor=None if floor is None else floor * 1000,
            bar=None if bar is None else Bar(value=bar, better=Better.LESS, strict=True),
        )

    return [
        line("MCP, execute_command over TCP: median until the id", median(started), 15, median(floor)),
        line("the same: p99", percentile(started, 0.99), floor=percentile(floor, 0.99)),
        line(f"MCP, get_job_status of {PAST:,} past jobs: p99", percentile(found, 0.99), 15),
        line("MCP, list_jobs of them: p99", percentile(listed, 0.99)),
        line(f"MCP, {_WAITING} wait for one job: from its end to an answer, p99", percentile(told, 0.99)),
        line("the same: get_job_status beside them, p99", percentile(beside, 0.99), 15),
        line("MCP, the very first call, which loads it", first[0]),
    ]


def _floor(starts: int) -> list[float]:
    """The same starts by a server that is nothing but the SDK: no policy, no store, no log, no keeper."""
    port = free_port()
    command = [sys.executable, "-m", "bench.bare_mcp", str(port)]
    with subprocess.Popen(command, env=environment()) as server:
        try:
            _until_open(port)
            with closing(_Agent(port)) as agent:
                return agent.times("execute_command", [_START] * starts)
        finally:
            server.terminate()


def _until_open(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.02)
    raise BadAnswer(f"nobody listens on port {port}")


class _Agent:
    """A client with one connection. To be closed."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        self._token = token

    def close(self) -> None:
        self._connection.close()

    def use(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The structured answer."""
        body, headers = _request(tool, arguments, self._token)
        self._connection.request("POST", "/mcp", body, headers)
        answer = json.loads(self._connection.getresponse().read())
        if answer.get("result", {}).get("isError", True):
            raise BadAnswer(f"{tool} answered {answer}")
        found: dict[str, Any] = answer["result"]["structuredContent"]
        return found

    def times(self, tool: str, calls: Sequence[dict[str, Any]]) -> list[float]:
        """Seconds of each."""
        taken = []
        for arguments in calls:
            begun = time.perf_counter()
            self.use(tool, arguments)
            taken.append(time.perf_counter() - begun)
        return taken


def _wait_together(rota: Rota, agent: _Agent, ids: Sequence[str]) -> tuple[list[float], list[float]]:
    """Seconds from a job's end until each was told, and those of look-ups while they all waited."""
    job = agent.use("execute_command", {"command": _UNTIL_TOLD})["job_id"]
    with _waiting(rota, job) as waiting:
        for each in waiting:
            each.until(b"200 OK")  # the head of its answer is out: it is held
        beside = agent.times("get_job_status", [{"job_id": random.choice(ids)} for _ in range(200)])
        agent.use("interact_with_job", {"job_id": job, "input": "now", "wait_seconds": 0})
        return _told(waiting), beside


@contextmanager
def _waiting(rota: Rota, job: str) -> Iterator[list[_Waiter]]:
    body, headers = _request("wait_for_run", {"run_ids": [job], "wait_seconds": 50}, rota.token)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST /mcp HTTP/1.1", "Host: localhost", *lines, f"Content-Length: {len(body)}"])
    request = f"{head}\r\n\r\n{body}".encode()
    waiting = [_Waiter(connection_to(("127.0.0.1", rota.port))) for _ in range(_WAITING)]
    try:
        for each in waiting:
            each.socket.sendall(request)
        yield waiting
    finally:
        for each in waiting:
            each.socket.close()


def _told(waiting: Sequence[_Waiter]) -> list[float]:
    poll = select.epoll()
    open_ = {each.socket.fileno(): each for each in waiting}
    for descriptor in open_:
        poll.register(descriptor, select.EPOLLIN)
    late = []
    with closing(poll):
        while open_:
            ready = poll.poll(_PATIENCE)
            if not ready:
                raise BadAnswer(f"{len(open_)} of {len(waiting)} were not told")
            for descriptor, _ in ready:
                over = open_[descriptor].take()
                if over is not None:
                    late.append(time.time() - int(over[1]) / 1e9)
                    poll.unregister(descriptor)
                    del open_[descriptor]
    return late


class _Waiter:
    """One of those that wait."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = b""

    def until(self, text: bytes) -> None:
        """Read until this has come."""
        while text not in self._received:
            self.take()

    def take(self) -> re.Match[bytes] | None:
        """Read what is there; the job's last words once they are among it."""
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise BadAnswer(f"a wait was hung up on after {self._received[-200:]!r}")
        self._received += piece
        return _OVER.search(self._received)


def _request(tool: str, arguments: dict[str, Any], token: str) -> tuple[str, dict[str, str]]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": _VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    meta = {
        "io.modelcontextprotocol/protocolVersion": _VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}), headers
