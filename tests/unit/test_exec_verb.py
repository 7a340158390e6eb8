"""`rota exec`, `rota attach` and `rota jobs`: what they send, what they refuse, how they end."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from fake_server import FakeServer, run

from rota.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ID = run()["id"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer(tmp_path) as server:
        server.answers["POST /api/jobs"] = (201, job(status="pending"))
        yield server


@pytest.fixture
def rota(tmp_path: Path) -> Callable[..., int]:
    return lambda *words: main.run(["--data", str(tmp_path), *words])


def job(**fields: Any) -> dict[str, Any]:
    about = {"kind": "job", "task_name": None, "command": ["make", "test"], "stdin": "none", "pty": False}
    return run(**(about | fields))


def sent(server: FakeServer) -> dict[str, Any]:
    (asked,) = [asked for asked in server.asked if asked.line == "POST /api/jobs"]
    return json.loads(asked.body)


def test_it_sends_its_command_folder_and_environment(
    server: FakeServer, rota: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setenv("ROTA_RUN_ID", "the one that we are in")

    code = rota(
        *("exec", "--name", "build", "--tag", "ci", "--tag", "fast", "--timeout", "2m", "--detach"),
        *("--env", "A=b=c", "--", "make", "--data", "x", "--", "-k"),
    )

    body = sent(server)
    assert (code, capsys.readouterr().out) == (0, f"{ID}\n")
    assert body["command"] == ["make", "--data", "x", "--", "-k"]
    assert (body["cwd"], body["name"], body["tags"], body["timeout"]) == (
        str(tmp_path), "build", ["ci", "fast"], 120,
    )  # fmt: skip
    assert (body["env"]["MINE"], body["env"]["A"]) == ("1", "b=c")
    assert not [name for name in body["env"] if name.startswith("ROTA_")]
    assert "stdin" not in body


def test_what_is_no_text_of_the_environment_is_left_out(
    server: FakeServer, rota: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "ODD", os.fsdecode(b"\xff"))

    assert rota("exec", "-d", "--", "true") == 0

    assert "ODD" not in sent(server)["env"]


def test_text_for_the_shell_is_one_text(server: FakeServer, rota: Callable[..., int]) -> None:
    assert rota("exec", "-d", "--shell", "--", "make", "&&", "make install") == 0

    assert sent(server)["command"] == "make && make install"


@pytest.mark.parametrize(
    ("at", "said"),
    [("2026-11-22T20:00:00Z", "2026-11-22T20:00:00+00:00"), ("2026-11-22T20:00:00+01:00",) * 2],
)
def test_a_job_for_later_is_not_waited_for(
    server: FakeServer, rota: Callable[..., int], at: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rota("exec", "--at", at, "--", "true") == 0

    assert sent(server)["at"] == said
    assert capsys.readouterr().out == f"{ID}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["exec"], "there is no command; write it after --"),
        (["exec", "--"], "there is no command"),
        (["exec", "ls", "-l"], "the command stands after --"),
        (["exec", "--env", "A", "--", "x"], "--env A: write NAME=VALUE"),
        (["exec", "--at", "tomorrow", "--", "x"], "--at tomorrow: "),
        (["exec", "--at", "2026-11-22T20:00:00", "--", "x"], "say its zone"),
        (["exec", "--timeout", "soon", "--", "x"], "--timeout soon: "),
        (["exec", "--", os.fsdecode(b"\xff")], "not UTF-8"),
    ],
)
def test_what_is_typed_wrong_is_told(
    server: FakeServer, rota: Callable[..., int], words: list[str], told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert rota(*words) == 2

    assert told in capsys.readouterr().err
    assert server.asked == []


def test_a_refusal_is_told_and_is_no_exit_code_of_the_command(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = {"type": "/problems/job-refused", "detail": "jobs may not start 'rm'"}
    server.answers["POST /api/jobs"] = (403, refusal)

    assert rota("exec", "--", "rm") == 125

    assert "rota: jobs may not start 'rm'" in capsys.readouterr().err


def test_a_run_that_has_ended_is_not_attached_to(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers[f"GET /api/runs/{ID}"] = job()

    assert rota("attach", ID) == 125

    assert f"rota logs {ID}" in capsys.readouterr().err


def test_jobs_are_listed_with_their_commands(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    by_agent = job(actor={"kind": "mcp", "name": "claude"}, command="echo a\necho b", name="x")
    server.answers["GET /api/jobs"] = {"items": [by_agent, job()], "next_cursor": None}

    assert rota("jobs", "build", "--tag", "ci", "--status", "ended", "-n", "2") == 0

    asked = server.asked[0].query
    assert asked == {"name": ["build"], "tag": ["ci"], "status": ["ended"], "limit": ["2"]}
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[-6:] == ["claude", "x", "echo", "a", "echo", "b"]
    assert lines[2].endswith("-     make test")
