"""The installed program under test: `rota serve` in a process of its own, driven as its users do."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.client.client import Client
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Callable

#: The command beside the interpreter that runs the tests: the one that `make setup` installed.
ROTA = str(Path(sys.executable).with_name("rota"))

#: Seconds after which a test that waits has failed.
PATIENCE = 60.0


class Installed:
    """One data folder, one configuration, and the server that serves them (or does not, just now)."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "rota.toml"
        self.config.write_text(config)
        self.port = _free_port()
        self.client = Client(self.data)
        self.server: subprocess.Popen[str] | None = None

    # --- the server

    def start(self, **environ: str) -> Installed:
        """Returns when it says that it serves."""
        with (self.folder / "server.log").open("a") as log:
            self.server = subprocess.Popen(
                [ROTA, "serve", "--config", self.config, "--data", self.data, "--port", str(self.port)],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment() | environ,
            )  # fmt: skip
        assert self.server.stdout is not None
        with self.server.stdout:
            ready, _, _ = select.select([self.server.stdout], [], [], PATIENCE)
            line = self.server.stdout.readline() if ready else "(nothing)"
        assert "serves" in line, f"{line!r}; {(self.folder / 'server.log').read_text()}"
        return self

    def kill(self) -> None:
        """`kill -9` of the server."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> float:
        """SIGTERM of the server; the seconds that it took to go."""
        begun = time.monotonic()
        self._signal(signal.SIGTERM)
        return time.monotonic() - begun

    @property
    def serves(self) -> bool:
        return self.server is not None and self.server.poll() is None

    def begin_anew(self) -> None:
        """Whatever the test left: it serves, no run is there, and nothing else in its folder."""
        if not self.serves:
            self.start()
        everything = {"filter": {}, "all": True}
        self.client.bulk("stop", everything)
        until_true(lambda: not self.runs(status=["pending", "running"]), "every run has ended")
        self.client.bulk("delete", everything)
        for path in set(self.folder.iterdir()) - {self.data, self.config, self.folder / "server.log"}:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def end(self) -> None:
        """Whatever the test left: no process of it stays."""
        if not self._shut_down():  # there is no server, or there is more than it could end
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.rota("shutdown", timeout=20)
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        for pid in self.keepers():
            os.kill(pid, signal.SIGKILL)

    def _shut_down(self) -> bool:
        """As `rota shutdown` asks for it, without the second that a program more takes."""
        if not self.serves:
            return False
        assert self.server is not None
        try:
            self.client.shutdown()
            self.server.wait(20)
        except (RotaError, subprocess.TimeoutExpired):
            return False
        return not self.keepers()

    def keepers(self) -> list[int]:
        """The keepers of this data folder: `ps` tells by their command lines."""
        folder = os.fsencode(self.data)
        return [
            pid
            for pid in _pids()
            if folder in (words := _words(pid)) and any(word.endswith(b"/keeper/main.py") for word in words)
        ]

    def keeper(self) -> int:
        [pid] = self.keepers()
        return pid

    # --- its surfaces

    def rota(self, *words: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """The command line."""
        return subprocess.run(
            [ROTA, "--data", str(self.data), *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, env=environment(),
            check=False,
        )  # fmt: skip

    def http(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any], http.client.HTTPResponse]:
        """One request over TCP, with the token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            token = (self.data / "token").read_text().strip()
            content = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(
                method, path, json.dumps(body) if body is not None else None,
                {"Authorization": f"Bearer {token}", **content, **(headers or {})},
            )  # fmt: skip
            answer = connection.getresponse()
            text = answer.read()
        return answer.status, json.loads(text) if text else {}, answer

    def trigger(self, task: str, query: str = "") -> dict[str, Any]:
        status, run, _ = self.http("POST", f"/api/tasks/{task}/run{query}")
        assert status == 201, run
        return run

    def run(self, run_id: str) -> dict[str, Any]:
        return self.client.run(run_id)

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        return list(self.client.runs(filters))

    def log(self, run_id: str) -> str:
        return b"".join(self.client.log(run_id)).decode()

    # --- waiting

    def until(self, run_id: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run as soon as this is true of it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [self.run(run_id)]
            return true(found[0])

        until_true(look, f"what is wanted of run {run_id}")
        return found[0]

    def until_ended(self, run_id: str) -> dict[str, Any]:
        return self.until(run_id, lambda run: run["status"] == "ended")

    def until_running(self, run_id: str) -> dict[str, Any]:
        return self.until(run_id, lambda run: run["status"] != "pending")

    def _signal(self, number: int) -> None:
        assert self.server is not None
        self.server.send_signal(number)
        self.server.wait(PATIENCE)


def environment() -> dict[str, str]:
    """Ours without what would point the program elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ROTA_")}


def is_alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until_true(true: Callable[[], bool], what: str) -> None:
    """Wait for something, looking every few milliseconds; the run or the file may have it already."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"in {PATIENCE:g} s not so: {what}"
        time.sleep(0.01)


def until_gone(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([fd], [], [], PATIENCE)
        assert ended, f"process {pid} still lives"
    finally:
        os.close(fd)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _words(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
