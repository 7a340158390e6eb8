"""Live: how long after it was written a line reaches those who follow its run, one reader and two hundred."""

from __future__ import annotations

import re
import select
import sys
import time
from typing import TYPE_CHECKING

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.load import BadAnswer, connection_to, get

if TYPE_CHECKING:
    import socket

    from bench.server import Server
    from bench.setting import Setting

_READERS = 200
_SLOWLY, _FAST = 20, 100  # lines a second
_PATIENCE = 20.0  # seconds

#: Writes its clock over and over, at moments that no look at the log can be in step with.
_PROGRAM = """
import os, random, sys, time
begin, rate, seconds = time.monotonic() + 3, float(sys.argv[1]), float(sys.argv[2])
os.write(1, b"ready\\n")
time.sleep(3)
for number in range(int(rate * seconds)):
    time.sleep(max(0, begin + (number + random.random()) / rate - time.monotonic()))
    os.write(1, b"%d written\\n" % time.time_ns())
os.write(1, b"done\\n")
"""
_CONFIG = """
[tasks.slowly]
run = "exec {python} -I {program} {slowly} {seconds}"

[tasks.fast]
run = "exec {python} -I {program} {fast} {seconds}"
"""
_WRITTEN = re.compile(rb'"text": ?"(\d{19}) written"')
_DONE = re.compile(rb'"text": ?"done"')


def measure(setting: Setting) -> list[Line]:
    """One reader of each server in turn; then two hundred of Rota alone, which RunWisp does not take."""
    rounds, seconds = (1, 3) if setting.quick else (3, 8)
    program = setting.folder / "clock.py"
    program.write_text(_PROGRAM)
    config = _CONFIG.format(
        python=sys.executable, program=program, slowly=_SLOWLY, fast=_FAST, seconds=seconds
    )
    one: dict[str, list[float]] = {}
    many: list[float] = []
    with setting.both("live", config) as servers:
        for turn in range(1, rounds + 1):
            setting.say(f"live: round {turn} of {rounds}")
            for server in servers:
                if server is not None:
                    late = _follow(server, "slowly", readers=1, lines=_SLOWLY * seconds)
                    one.setdefault(server.name, []).append(late)
            many.append(_follow(servers[0], "fast", readers=_READERS, lines=_FAST * seconds))
    figures = {name: median(each) for name, each in one.items()}
    under = Bar(value=50, better=Better.LESS, strict=True)
    return [
        Line(
            name="a live line reaches a reader, p99",
            unit=Unit.MS,
            rota=figures["Rota"],
            runwisp=figures.get("RunWisp"),
            bar=under,
        ),
        Line(
            name=f"the same, {_READERS} readers of one run, {_FAST} lines/s, p99",
            unit=Unit.MS,
            rota=median(many),
            bar=under,
        ),
    ]


def _follow(server: Server, task: str, *, readers: int, lines: int) -> float:
    """Milliseconds from the writing of a line to its arrival, p99 over all lines and readers."""
    run_id = server.begin(task)
    poll = select.epoll()
    followers = {each.fileno(): _Follower(each) for each in _connected(server, run_id, readers)}
    for descriptor in followers:
        poll.register(descriptor, select.EPOLLIN)
    try:
        late: list[float] = []
        while not all(each.done for each in followers.values()):
            ready = poll.poll(_PATIENCE)
            if not ready:
                raise BadAnswer(f"{server.name}: nothing came for {_PATIENCE:.0f} s")
            for descriptor, _ in ready:
                if not followers[descriptor].take(late):
                    poll.unregister(descriptor)
    finally:
        poll.close()
        for each in followers.values():
            each.socket.close()
    if len(late) != readers * lines:
        raise BadAnswer(f"{server.name}: {len(late)} of {readers * lines} lines came")
    return 1000 * percentile(late, 0.99)


def _connected(server: Server, run_id: str, readers: int) -> list[socket.socket]:
    request = get(server.follow_path(run_id))
    connections = [connection_to(server.socket) for _ in range(readers)]
    for connection in connections:
        connection.sendall(request)
    return connections


class _Follower:
    """One reader."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.done = False
        self._rest = b""

    def take(self, late: list[float]) -> bool:
        """Note how late each line is that came; False once no more comes."""
        data = self.socket.recv(1 << 18)
        now = time.time()
        if not data:
            raise BadAnswer("the stream ended before its run")
        text = self._rest + data
        ends = text.rfind(b"\n") + 1
        self._rest = text[ends:]
        late += [now - int(found) / 1e9 for found in _WRITTEN.findall(text, 0, ends)]
        self.done = _DONE.search(text, 0, ends) is not None
        return not self.done
