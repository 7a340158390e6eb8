"""A server under measurement: started in a folder of its own, awaited, and ended by its own verb."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from bench.load import BadAnswer

if TYPE_CHECKING:
    from pathlib import Path


class NotReady(Exception):
    """A server ended, or did not answer in time; the text holds what it said."""


class Server(ABC):
    """One server, its configuration and its data, all inside `folder`."""

    name: str
    _READY_WITHIN = 60.0

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.config = folder / self.config_name
        self.config.write_text(config)
        self.process: subprocess.Popen[bytes] | None = None

    config_name: str

    @property
    @abstractmethod
    def socket(self) -> Path:
        """Its Unix socket."""

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """What starts it in the foreground."""

    @property
    @abstractmethod
    def pids(self) -> list[int]:
        """Every process that it needs to be idle."""

    @abstractmethod
    def cli(self, verb: str) -> list[str]:
        """A verb of its command line, for this data folder."""

    @abstractmethod
    def run_path(self, task: str) -> str:
        """The path that triggers a task and waits for its end."""

    @abstractmethod
    def tail_path(self, run_id: str, lines: int) -> str:
        """The path of a run's last lines."""

    @abstractmethod
    def page_path(self, run_id: str, start: int, lines: int) -> str:
        """The path of so many lines of a run from one on."""

    @abstractmethod
    def total_lines(self, page: dict[str, Any]) -> int:
        """How many lines a run has, as a page of it tells."""

    @abstractmethod
    def search_path(self, task: str, text: str) -> str:
        """The path of a search through the logs of a task's runs."""

    @abstractmethod
    def matches(self, found: dict[str, Any]) -> int:
        """How many lines a search found, which must have come to its end."""

    @abstractmethod
    def follow_path(self, run_id: str) -> str:
        """The path of a stream of what a run writes from now on."""

    @property
    @abstractmethod
    def log_files(self) -> list[Path]:
        """The files of all runs' output; they have the length of what was written."""

    @abstractmethod
    def ended_well(self, run: dict[str, Any]) -> bool:
        """Whether an answered run has ended with exit code 0."""

    @abstractmethod
    def end(self) -> None:
        """Ask it to end, with everything that it started."""

    def start(self) -> float:
        """Start it and return the seconds until its `/health` says yes."""
        begun = time.perf_counter()
        process = self.launch()
        while not self._healthy():
            if process.poll() is not None:
                raise NotReady(f"{self.name} ended with code {process.returncode}:\n{self.said()}")
            if time.perf_counter() - begun > self._READY_WITHIN:
                raise NotReady(f"{self.name} was not ready after {self._READY_WITHIN:.0f} s:\n{self.said()}")
            time.sleep(0.005)
        return time.perf_counter() - begun

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it and wait for nothing."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process

    def stop(self) -> None:
        """End it, firmly if it does not listen; twice is fine."""
        if self.process is None:
            return
        self.end()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End its own process with SIGKILL; what it started is left as it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def get(self, path: str) -> bytes:
        """What a GET over the Unix socket answers."""
        return self._ask("GET", path)

    def begin(self, task: str) -> str:
        """Start a run, wait for nothing, and give its id."""
        path = self.run_path(task).partition("?")[0]
        return str(json.loads(self._ask("POST", path))["id"])

    def run(self, task: str) -> str:
        """A run that has ended well: its id."""
        run = json.loads(self._ask("POST", self.run_path(task)))
        if not self.ended_well(run):
            raise BadAnswer(f"{self.name} answered a run that has not ended well: {run}")
        return str(run["id"])

    def said(self) -> str:
        """The last lines that it printed."""
        return "\n".join((self.folder / "output").read_text(errors="replace").splitlines()[-20:])

    def _ask(self, method: str, path: str) -> bytes:
        connection = connect(self.socket, timeout=300)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status // 100 != 2:
                raise BadAnswer(f"{self.name}: {method} {path} answered {answer.status}: {body[:300]!r}")
            return body
        finally:
            connection.close()

    def _healthy(self) -> bool:
        try:
            connection = connect(self.socket)
        except OSError:
            return False
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def connect(path: Path, *, timeout: float = 30.0) -> http.client.HTTPConnection:
    """An HTTP connection over a Unix socket; OSError when nobody listens there."""
    connection = http.client.HTTPConnection("localhost", timeout=timeout)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(timeout)
    try:
        line.connect(str(path))
    except OSError:
        line.close()
        raise
    connection.sock = line
    return connection


def environment() -> dict[str, str]:
    """This process's environment without settings of either server."""
    theirs = ("ROTA_", "RUNWISP_", "NOTIFY_SOCKET")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
