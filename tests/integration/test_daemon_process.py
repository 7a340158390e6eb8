"""The server as a process: its name, what it leaves in its folder, what it says, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rota.client.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
ROTA = [sys.executable, "-m", "rota"]
LIMIT = 300  #: a soft limit on descriptors that no machine has by itself


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@contextlib.contextmanager
def served(data: Path, config: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A server that is told its folder by the environment alone; with it goes everything of it."""
    process = subprocess.Popen(
        [*ROTA, "serve", "--config", config, "--port", "0"],
        env=os.environ | {"ROTA_DATA": str(data)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        try:
            assert select.select([process.stdout], [], [], PATIENCE)[0]
            assert "serves" in process.stdout.readline()
            yield process
        finally:
            subprocess.run([*ROTA, "shutdown", "--data", data], check=True, timeout=PATIENCE)
            process.wait(PATIENCE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "rota.toml"
    path.write_text('[tasks.limit]\nrun = "ulimit -S -n"\n')
    return path


def test_a_server_tells_whose_it_is_and_leaves_nothing_that_says_it_runs(
    tmp_path: Path, config: Path
) -> None:
    data = tmp_path / "data"
    with served(data, config) as server:
        ready = json.loads((data / "server.json").read_text())
        words = Path(f"/proc/{server.pid}/cmdline").read_bytes().split(b"\0")
        info = Client(data).info()
        soft, hard = next(
            line.split()[3:5]
            for line in Path(f"/proc/{server.pid}/limits").read_text().splitlines()
            if line.startswith("Max open files")
        )

        server.send_signal(signal.SIGTERM)
        code = server.wait(PATIENCE)
        log = [json.loads(line) for line in (server.stderr or [])]

    assert ready["pid"] == info["pid"] == server.pid
    assert (ready["url"], ready["version"]) == (info["url"], info["version"])
    assert os.fsencode(data) in words
    assert soft == hard
    assert code == 0
    assert log[-1]["message"] == "the server is leaving"
    assert not (data / "server.json").exists()
    assert not (data / "rota.sock").exists()


def test_a_run_has_the_descriptors_that_the_server_was_started_with(tmp_path: Path, config: Path) -> None:
    data = tmp_path / "data"
    with served(data, config):
        client = Client(data)
        with client.events({"kind": "run.ended"}) as events:
            run = client.trigger("limit", key="one")
            next(iter(events))

        assert b"".join(client.log(run["id"])) == b"%d\n" % LIMIT


def test_without_authentication_the_server_warns(tmp_path: Path, config: Path) -> None:
    data = tmp_path / "data"
    with served(data, config, ROTA_AUTH="off") as server:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)
        log = [json.loads(line) for line in (server.stderr or [])]

    assert [each["message"] for each in log if each["level"] == "warning"] == [
        "ROTA_AUTH is off: whoever can open a connection on this machine can run the tasks"
    ]


def refusal(*words: object, **environment: str) -> str:
    process = subprocess.run(
        [*ROTA, "serve", *map(str, words)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 1
    [line] = process.stderr.splitlines()
    return line


def test_what_cannot_be_served_is_one_sentence_and_leaves_no_keeper(tmp_path: Path, config: Path) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        assert f"port {port} on 127.0.0.1 is in use" in refusal("--data", data, "--port", port)
    assert "ROTA_AUTH" in refusal("--data", data, "--config", config, ROTA_AUTH="no")
    assert "this machine only" in refusal("--data", data, "--host", "0.0.0.0")
    data.chmod(0o777)
    assert "chmod 700" in refusal("--data", data)
    assert not (data / "keeper.sock").exists()
