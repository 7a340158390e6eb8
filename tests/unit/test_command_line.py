"""The verbs against a server whose answers the test chooses."""

from __future__ import annotations

import itertools
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_server import Asked, FakeServer, event, problem, run, stream

from rota.cli import main, outlast
from rota.cli.which_run import RunUnclear, which_run
from rota.client.client import Client
from rota.logs.index import STDERR, STDOUT
from rota.logs.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ID = run()["id"]
PAUSE = {
    "kind": "group", "name": "backups", "reason": "deploying", "actor": {"kind": "user", "name": "olaf"},
    "via": "cli", "since": "2026-11-22T20:00:00.000000Z",
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("ROTA_DATA", "ROTA_CONFIG", "ROTA_HOST", "ROTA_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(outlast, "LOOK", 0.01)
    with FakeServer(tmp_path) as fake:
        fake.answers["GET /api/info"] = {"version": "1"}
        fake.answers["GET /api/services"] = {"items": [], "next_cursor": None}
        yield fake


@pytest.fixture
def rota(server: FakeServer) -> Callable[..., int]:
    return lambda *words: main.run([*words, "--data", str(server.data)])


def no_events(asked: Asked) -> None:
    stream(asked, [": hello\n\n"])


def write_log(server: FakeServer, *pieces: tuple[int, bytes]) -> None:
    (server.data / "runs" / ID[:7]).mkdir(parents=True, exist_ok=True)
    log = LogWriter(str(server.data), ID)
    for at, (which, piece) in enumerate(pieces):
        log.append(which, bytearray(piece), len(piece), at * 10_000)
    log.close()


def test_a_flag_may_stand_before_the_verb_or_after_it(server: FakeServer, capsys: pytest.CaptureFixture[str]):
    server.answers["GET /api/tasks"] = {"items": [], "next_cursor": None}

    assert main.run(["--data", str(server.data), "list", "--json"]) == 0
    assert main.run(["list", "--json", f"--data={server.data}", "--port", "1", "--host", "x"]) == 0
    assert capsys.readouterr().out == "[]\n[]\n"


def test_an_empty_variable_is_as_one_that_is_not_there(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/tasks"] = {"items": [], "next_cursor": None}
    for name in ("ROTA_CONFIG", "ROTA_HOST", "ROTA_PORT", "ROTA_AUTH"):
        monkeypatch.setenv(name, "")

    assert main.run(["list", "--data", str(server.data)]) == 0
    assert "ROTA_AUTH" not in os.environ
    assert capsys.readouterr().err == ""


def test_the_environment_stands_in_for_flags(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/tasks"] = {"items": [], "next_cursor": None}
    monkeypatch.setenv("ROTA_DATA", str(server.data))

    assert main.run(["list", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lits"], 'Did you mean "list"?'),
        (["list", "--jsno"], "--jsno"),
        (["run"], "TASK requires an argument"),
        (["stop"], "say which runs: by their ids, by a filter such as --task, or --all"),
        (["stop", "--all", ID], "say which runs: by their ids, by a filter such as --task, or --all"),
        (["pause"], "name a task, or say --group GROUP or --all"),
        (["resume", "backup", "--all"], "name a task, or say --group GROUP or --all"),
        (["runs", "--status", "nope"], '"pending", "running", "ended"'),
        (["runs", "--limit", "0"], "--limit is at least 1"),
        (["--port", "x", "list"], "--port"),
        (["serve", "--port", "70000"], "--port and ROTA_PORT take a number from 0 to 65535"),
        (["serve", "--port=-1"], "-1 is no port"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    rota: Callable[..., int], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert rota(*words) == 2

    err = capsys.readouterr().err
    assert said in err
    assert err.startswith("rota: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["run", "a\udcff"],
        ["run", "a", "--param", "A=\udcff"],
        ["runs", "\udcff"],
        ["why", "\udcff"],
        ["logs", "a", "--grep", "\udcff"],
        ["stop", "--task", "\udcff"],
    ],
)
def test_a_word_that_is_no_text_is_one_sentence_and_exit_code_2(
    rota: Callable[..., int], capsys: pytest.CaptureFixture[str], words: list[str]
):
    assert rota(*words) == 2
    assert capsys.readouterr().err.endswith("has bytes that are not UTF-8\n")


def test_a_problem_is_its_title_and_a_line_for_each_fault(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    faults = [
        {"location": "query.created_after", "message": "it is no time", "value": "x"},
        {"location": "query.limit", "message": "it is too large", "value": 9},
    ]
    server.answers["GET /api/runs"] = (422, problem(422, "Invalid request", "…") | {"errors": faults})

    assert rota("runs", "--created-after", "x") == 1

    assert capsys.readouterr().err.splitlines() == [
        "rota: Invalid request",
        "  query.created_after: it is no time",
        "  query.limit: it is too large",
    ]


def test_filters_are_passed_on_as_the_api_calls_them(server: FakeServer, rota: Callable[..., int]):
    server.answers["GET /api/runs"] = server.answers["GET /api/jobs"] = {"items": [], "next_cursor": None}

    rota(
        "runs", "backup", "--status", "ended", "--end-reason", "queue_full", "--end-reason", "lost",
        "--is-failure", "-n", "5",
    )  # fmt: skip
    rota("jobs", "--no-is-failure")

    assert server.asked[0].query == {
        "task_name": ["backup"],
        "status": ["ended"],
        "end_reason": ["queue_full", "lost"],
        "is_failure": ["true"],
        "limit": ["5"],
    }
    assert server.asked[1].query == {"is_failure": ["false"], "limit": ["20"]}


def test_runs_are_gathered_over_pages_and_no_more_than_asked_for(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/runs"] = {"items": [run(), run()], "next_cursor": "more"}

    assert rota("runs", "-n", "3", "--json") == 0

    assert len(json.loads(capsys.readouterr().out)) == 3
    assert len(server.asked) == 2


def test_a_run_may_be_named_by_its_ending(server: FakeServer):
    for ending in ("2c3d", "0d6f7a1b2c3d"):
        server.answers[f"GET /api/runs/{ending}"] = run()
    client = Client(server.data)

    assert which_run(client, "2c3d") == ID
    assert which_run(client, "0D6F7A1B2C3D") == ID
    assert which_run(client, ID.upper()) == ID


def test_an_ending_that_several_runs_have_lists_them(server: FakeServer):
    twin = "0198c7a0-5b3e-7cc1-9a44-ffffffff2c3d"
    candidates = [
        {"location": "path.run_id", "message": "backup", "value": ID},
        {"location": "path.run_id", "message": "other", "value": twin},
    ]
    said = problem(409, "Several runs", "…") | {"type": "/problems/run-unclear", "errors": candidates}
    server.answers["GET /api/runs/2c3d"] = (409, said)

    with pytest.raises(RunUnclear) as raised:
        which_run(Client(server.data), "2c3d")

    assert f"{ID}  backup" in str(raised.value)
    assert f"{twin}  other" in str(raised.value)


@pytest.mark.parametrize("text", ["abc", "backup", "", "0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d0"])
def test_what_cannot_be_an_ending_is_not_looked_for(server: FakeServer, text: str):
    with pytest.raises(RunUnclear, match="names no run"):
        which_run(Client(server.data), text)

    assert server.asked == []


def test_rota_run_shows_the_output_and_ends_as_the_run(
    server: FakeServer, rota: Callable[..., int], capfdbinary: pytest.CaptureFixture[bytes]
):
    write_log(server, (STDOUT, b"\xff\x00one\n"), (STDERR, b"two\n"), (STDOUT, b"three"))
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    server.answers["GET /api/events"] = no_events
    server.answers[f"GET /api/runs/{ID}"] = run(end_reason="failed", exit_code=7)

    assert rota("run", "backup") == 7

    out, err = capfdbinary.readouterr()
    assert out == b"\xff\x00one\nthree"
    assert err.startswith(b"two\n")
    assert b"backup failed with exit code 7" in err


def test_the_end_comes_from_an_event_when_it_was_not_there_yet(server: FakeServer, rota: Callable[..., int]):
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    looks = iter([run(status="running", end_reason=None), run(end_reason="timeout", exit_code=None)])
    server.answers[f"GET /api/runs/{ID}"] = lambda _asked: next(looks)
    ends = [event("run.ended", {"run": {"id": each}}) for each in ("another", ID)]
    server.answers["GET /api/events"] = lambda asked: stream(asked, ends)

    assert rota("run", "backup") == 124
    lines = server.lines()
    assert lines.index("GET /api/events") < lines.index(f"GET /api/runs/{ID}")


def test_after_a_gap_in_the_events_the_run_is_looked_at_anew(server: FakeServer, rota: Callable[..., int]):
    looks = iter([run(status="running", end_reason=None), run()])
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    server.answers[f"GET /api/runs/{ID}"] = lambda _asked: next(looks)
    server.answers["GET /api/events"] = lambda asked: stream(asked, [event("gap", {"first_available": 9})])

    assert rota("run", "backup") == 0


def test_a_server_that_leaves_is_waited_for_and_told_once(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    looks = itertools.chain([run(status="running", end_reason=None)] * 3, itertools.repeat(run()))
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    server.answers[f"GET /api/runs/{ID}"] = lambda _asked: next(looks)
    server.answers["GET /api/events"] = lambda asked: stream(asked, [event("closing", {})])

    assert rota("run", "backup") == 0
    assert capsys.readouterr().err.count("went away") == 1


def test_a_server_that_does_not_come_back_ends_the_waiting(
    server: FakeServer,
    rota: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def leave(asked: Asked) -> None:
        asked.handler.close_connection = True
        threading.Thread(target=server.die).start()  # a handler cannot wait for its own server's end

    monkeypatch.setattr(outlast, "PATIENCE", 0.05)
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    server.answers[f"GET /api/runs/{ID}"] = run(status="running", end_reason=None)
    server.answers["GET /api/events"] = leave

    assert rota("run", "backup") == 125
    assert "no Rota server runs" in capsys.readouterr().err


def test_a_trigger_whose_answer_was_lost_is_asked_again_with_the_same_key(
    server: FakeServer, rota: Callable[..., int]
):
    def answer(asked: Asked):
        if sum(line.startswith("POST") for line in server.lines()) == 1:
            asked.handler.close_connection = True
            return None
        return 201, run(status="pending", end_reason=None)

    server.answers["POST /api/tasks/backup/run"] = answer

    assert rota("run", "backup", "--no-wait") == 0

    keys = [asked.headers["Idempotency-Key"] for asked in server.asked if asked.line.startswith("POST")]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("status", "title"), [(404, "No such task"), (409, "Run skipped"), (429, "Queue full"), (403, "Off")]
)
def test_a_refused_trigger_is_rotas_own_failure(
    server: FakeServer, rota: Callable[..., int], status: int, title: str, capsys: pytest.CaptureFixture[str]
):
    server.answers["POST /api/tasks/backup/run"] = (status, problem(status, title, "why it is so"))

    assert rota("run", "backup") == 125
    assert capsys.readouterr().err == "rota: why it is so\n"


def test_with_json_the_ended_run_is_all_that_is_printed(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    write_log(server, (STDOUT, b"noise\n"))
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))
    server.answers["GET /api/events"] = no_events
    server.answers[f"GET /api/runs/{ID}"] = run(end_reason="failed", exit_code=7)

    assert rota("run", "backup", "--json") == 7

    out, err = capsys.readouterr()
    assert json.loads(out) == run(end_reason="failed", exit_code=7)
    assert err == ""


def test_a_reader_that_goes_away_ends_it_quietly(
    server: FakeServer,
    rota: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def gone(*_: object) -> None:
        raise BrokenPipeError

    server.answers["GET /api/tasks"] = {"items": [], "next_cursor": None}
    discarded = []
    monkeypatch.setattr("rota.cli.output.Output.json", gone)
    monkeypatch.setattr(main, "discard_output", lambda: discarded.append(True))

    assert rota("list", "--json") == 141
    assert discarded
    assert capsys.readouterr().err == ""


def test_logs_come_stream_by_stream_raw_or_as_lines_of_json(
    server: FakeServer, rota: Callable[..., int], capfdbinary: pytest.CaptureFixture[bytes]
):
    write_log(server, (STDOUT, b"a\nb"), (STDERR, b"c\n"), (STDOUT, b"d\n\xffe"))
    server.answers[f"GET /api/runs/{ID}"] = run()
    server.answers[f"GET /api/runs/{ID}/log/raw"] = (200, b"a\nbc\nd\n\xffe")

    assert rota("logs", ID) == 0
    assert capfdbinary.readouterr() == (b"a\nbd\n\xffe", b"c\n")

    assert rota("logs", ID, "--raw") == 0
    assert capfdbinary.readouterr() == (b"a\nbc\nd\n\xffe", b"")

    assert rota("logs", ID, "--json") == 0
    lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [(line["n"], line["stream"], line["text"], line["continued"]) for line in lines] == [
        (1, "stdout", "a", False),
        (2, "stderr", "c", False),
        (3, "stdout", "bd", False),
        (4, "stdout", "\ufffde", False),
    ]
    assert lines[1]["at"] == "1970-01-01T00:00:00.010000Z"


def test_logs_of_no_run_are_not_an_empty_log(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers[f"GET /api/runs/{ID}"] = (404, problem(404, "No such run", f"there is no run {ID}"))

    assert rota("logs", ID) == 1
    assert capsys.readouterr().err == f"rota: there is no run {ID}\n"


def test_stopping_several_runs_stops_the_others_when_one_is_refused(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    second = "0198c7a0-5b3e-7cc1-9a44-000000000002"
    server.answers[f"POST /api/runs/{ID}/stop"] = (409, problem(409, "Run has ended", "it has ended"))
    server.answers[f"POST /api/runs/{second}/stop"] = (202, run(id=second, status="running"))
    server.answers[f"GET /api/runs/{second}"] = run(id=second, end_reason="stopped", exit_code=None)
    server.answers["GET /api/events"] = no_events

    assert rota("stop", ID, second) == 1

    out, err = capsys.readouterr()
    assert f"backup was stopped after 2.1s (run {second})" in out
    assert "it has ended" in err


def outcome(**changes: Any) -> dict[str, Any]:
    told = {
        "dry_run": False,
        "matched": 1,
        "done": 1,
        "refused": 0,
        "faults": [],
        "reruns": [],
        "broken_off": None,
    }
    return told | changes


def test_stop_all_is_one_request_and_tells_of_each_run(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    second = "0198c7a0-5b3e-7cc1-9a44-000000000002"
    items = [run(id=second, status="pending"), run(status="running")]
    server.answers["GET /api/runs"] = {"items": items, "next_cursor": None}
    server.answers["POST /api/runs/bulk/stop"] = outcome(matched=2, done=2)

    assert rota("stop", "--all", "--no-wait") == 0

    assert [asked.query["status"] for asked in server.asked if asked.query] == [["pending", "running"]]
    wanted = {"kind": ["task", "job"]}  # a service that was stopped so would live again
    assert json.loads(server.asked[-1].body) == {"filter": wanted, "all": False, "dry_run": False}
    said = capsys.readouterr().out
    assert f"(run {second})" in said
    assert f"(run {ID})" in said

    assert rota("stop", "--all", "--dry-run") == 0
    assert json.loads(server.asked[-1].body) == {"filter": wanted, "all": False, "dry_run": True}


def test_a_service_is_not_counted_by_a_dry_run(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/services"] = {"items": [{"name": "web"}], "next_cursor": None}

    assert rota("stop", "web", "--dry-run") == 2
    assert "--dry-run counts runs" in capsys.readouterr().err


def test_a_run_that_ended_by_itself_is_no_fault_of_stop_all(server: FakeServer, rota: Callable[..., int]):
    fault = {"run_id": ID, "type": "/problems/run-ended", "detail": "it has ended", "errors": []}
    server.answers["GET /api/runs"] = {"items": [], "next_cursor": None}
    server.answers["POST /api/runs/bulk/stop"] = outcome(done=0, refused=1, faults=[fault])

    assert rota("stop", "--all") == 0


def test_a_filter_says_which_runs_are_deleted(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["POST /api/runs/bulk/delete"] = outcome(dry_run=True, matched=7, done=7)

    assert rota("delete", "--task", "backup", "--end-reason", "failed", "--dry-run") == 0

    assert json.loads(server.asked[-1].body) == {
        "filter": {"task_name": "backup", "end_reason": ["failed"]}, "all": False, "dry_run": True,
    }  # fmt: skip
    assert capsys.readouterr().out == "would have deleted 7 runs\n"


def test_what_was_refused_is_told_and_makes_the_exit_code_1(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    fault = {"run_id": ID, "type": "/problems/run-not-ended", "detail": f"run {ID} is running", "errors": []}
    server.answers["POST /api/runs/bulk/delete"] = outcome(matched=2, refused=1, faults=[fault])

    assert rota("delete", ID, "0198c7a0-5b3e-7cc1-9a44-000000000002") == 1

    said = capsys.readouterr()
    assert said.out == "deleted 1 run\n"
    assert said.err == f"rota: run {ID} is running\n"


def test_a_deleted_run_is_restored_by_the_ending_of_its_id(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/runs"] = {"items": [run()], "next_cursor": None}
    server.answers["POST /api/runs/bulk/restore"] = outcome()

    assert rota("restore", ID[-6:]) == 0
    assert rota("restore", "ffffff") == 1

    assert json.loads(server.asked[1].body) == {"ids": [ID], "dry_run": False}
    assert "no deleted run has an id that ends in 'ffffff'" in capsys.readouterr().err


def test_a_rerun_prints_the_new_id_and_a_secret_is_given_anew(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    second = "0198c7a0-5b3e-7cc1-9a44-000000000002"
    rerun = {"run_id": second, "rerun_of_run_id": ID}
    server.answers["POST /api/runs/bulk/rerun"] = outcome(reruns=[rerun])
    server.answers[f"POST /api/runs/{ID}/rerun"] = (201, run(id=second))

    assert rota("rerun", ID) == 0
    assert rota("rerun", ID, "-p", "TOKEN=hunter2", "-e", "A=b") == 0

    assert capsys.readouterr().out == f"{second}\n{second}\n"
    assert json.loads(server.asked[-1].body) == {"params": {"TOKEN": "hunter2"}, "env": {"A": "b"}}
    assert all(asked.headers["Idempotency-Key"] for asked in server.asked)
    assert rota("rerun", ID, second, "-p", "TOKEN=x") == 2


def test_status_of_an_unhealthy_server_names_its_problems(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["GET /api/info"] = {
        "version": "0.1.0", "pid": 5, "started_at": "2026-11-22T20:00:00.000000Z", "url": "http://127.0.0.1:1",
        "data": "/d", "config": None, "tasks": 3, "warnings": ["mind the gap"],
        "pauses": [PAUSE],
        "config_loaded_at": "2026-11-22T20:00:00Z", "config_refused": None, "config_changed": False,
    }  # fmt: skip
    server.answers["GET /api/runs"] = {
        "items": [run(status="running"), run(status="pending"), run(status="running")],
        "next_cursor": None,
    }
    server.answers["GET /health"] = (
        503,
        problem(503, "Unhealthy", "…") | {"errors": [{"location": "store", "message": "the disk is full"}]},
    )

    server.answers["GET /api/services"] = {
        "items": [{"state": "healthy"}, {"state": "failed"}, {"state": "healthy"}],
        "next_cursor": None,
    }

    assert rota("status") == 1

    out = capsys.readouterr().out
    assert "health    unhealthy\n" in out
    assert "problem   the disk is full\n" in out
    assert "warning   mind the gap\n" in out
    assert "paused    group backups by user olaf since 2026-11-22T20:00:00.000000Z (deploying)\n" in out
    assert "services  2 healthy, 1 failed\n" in out
    assert "runs      2 running, 1 pending\n" in out

    assert rota("status", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["running"] is True
    assert report["healthy"] is False
    assert report["problems"] == ["the disk is full"]


def test_without_a_server_each_verb_says_so_in_its_own_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = ["--data", str(tmp_path)]

    assert main.run(["list", *data]) == 1
    assert main.run(["run", "x", *data]) == 125
    err = capsys.readouterr().err
    assert err.count(f"no Rota server runs for the data folder {tmp_path}") == 2
    assert err.count("rota serve") == 2

    assert main.run(["status", *data]) == 3
    assert "not running" in capsys.readouterr().out

    assert main.run(["shutdown", *data]) == 0
    assert "nothing runs" in capsys.readouterr().out


def test_validate_prints_each_fault_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "rota.toml"
    path.write_text('[tasks.a]\nrun = "true"\ncorn = "* * * * *"\n\n[tasks."b b"]\nrun = 5\n')

    assert main.run(["validate", "--config", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}:3:1: tasks.a.corn:" in out
    assert "cron" in out
    assert f"{path}:6:" in out

    monkeypatch.chdir(tmp_path)
    assert main.run(["validate", path.name, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["file"] == report["faults"][0]["file"] == str(path)
    assert report["valid"] is False
    assert {"file", "line", "column", "key", "message", "allowed", "nearest"} == set(report["faults"][0])

    path.write_text('[tasks.a]\nrun = "true"\n')
    assert main.run(["validate", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 1 task, no faults\n"

    path.write_text('[services.a]\nrun = "true"\n[services.b]\nrun = "true"\n')
    assert main.run(["validate", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 0 tasks, 2 services, no faults\n"


def test_validate_without_a_file_says_where_one_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROTA_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("rota.config.places.SYSTEM_CONFIG", tmp_path / "none.toml")

    assert main.run(["validate"]) == 1
    assert "--config" in capsys.readouterr().err


def test_schema_and_openapi_need_no_server(capsys: pytest.CaptureFixture[str]):
    assert main.run(["schema"]) == 0
    assert "properties" in json.loads(capsys.readouterr().out)

    assert main.run(["openapi", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "/api/tasks/{task_name}/run" in document["paths"]
    assert "/api/shutdown" not in document["paths"]


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2126-11-22T20:00:00+02:00", "2126-11-22T18:00:00+00:00", "2126-11-22T18:00:00+00:00"),
        ("2126-11-22 20:00", "2126-11-22T05:00:00+00:00", "2126-11-23T09:00:00+00:00"),
    ],
)
def test_a_run_for_later_is_asked_for_with_its_zone_and_not_waited_for(
    server: FakeServer,
    rota: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    text: str,
    earliest: str,
    latest: str,
):
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))

    assert rota("run", "backup", "--at", text) == 0

    at = datetime.fromisoformat(json.loads(server.asked[-1].body)["at"])
    assert datetime.fromisoformat(earliest) <= at <= datetime.fromisoformat(latest)
    assert capsys.readouterr().out == f"{ID}\n"


def test_a_run_for_later_may_be_told_by_how_long_from_now(server: FakeServer, rota: Callable[..., int]):
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending", end_reason=None))

    assert rota("run", "backup", "--at", "10m") == 0

    at = datetime.fromisoformat(json.loads(server.asked[-1].body)["at"])
    assert timedelta(minutes=9) < at - datetime.now(UTC) <= timedelta(minutes=10)
    assert rota("run", "backup", "--at", "soon") == 2


def test_why_is_a_table_of_fates_and_one_of_what_comes_next(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    at = "2126-11-22T20:00:00.000000Z"
    fate = {
        "outcome": "skipped", "count": 3, "first": at, "last": at, "run_id": ID, "end_reason": "skipped",
        "behind": [ID], "message": "the task was running",
    }  # fmt: skip
    tick = {"task_name": "backup", "scheduled_at": at, "due_at": at, "run_id": None}
    server.answers["GET /api/tasks/backup/why"] = {
        "task_name": "backup", "last": [fate], "next": [tick], "note": None,
    }  # fmt: skip
    server.answers["GET /api/next"] = {"items": [tick]}

    assert rota("why", "backup", "-n", "7") == 0
    assert rota("next") == 0

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["TICK", "UNTIL", "TICKS", "WHAT", "RUN", "BEHIND"],
        [at, at, "3", "the", "task", "was", "running", ID, ID],
        [],
        ["TASK", "DUE", "TICK", "RUN"],
        ["backup", at, "-", "-"],
        ["TASK", "DUE", "TICK", "RUN"],
        ["backup", at, "-", "-"],
    ]
    assert server.asked[0].query == {"ticks": ["7"]}
    assert rota("next", "--limit", "0") == 2


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["backup"], "/api/tasks/backup"),
        (["--group", "my backups/all"], "/api/groups/my%20backups%2Fall"),
        (["--all"], "/api"),
    ],
)
def test_pause_and_resume_say_what_is_held(
    server: FakeServer,
    rota: Callable[..., int],
    words: list[str],
    path: str,
    capsys: pytest.CaptureFixture[str],
):
    server.answers[f"POST {path}/pause"] = {"kind": "task", "name": "backup", "pauses": [PAUSE]}
    server.answers[f"POST {path}/resume"] = {"kind": "task", "name": "backup", "pauses": []}

    assert rota("pause", *words, "--reason", "deploying") == 0
    assert rota("resume", *words) == 0

    assert capsys.readouterr().out.splitlines() == [
        "paused: group backups by user olaf since 2026-11-22T20:00:00.000000Z (deploying)",
        "task backup: not paused",
    ]
    assert json.loads(server.asked[0].body) == {"reason": "deploying"}


def test_a_run_that_does_not_keep_to_a_pause_says_so(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
):
    server.answers["POST /api/tasks/backup/run"] = run(despite_pause="the task was paused by user olaf")

    assert rota("run", "backup", "--no-wait") == 0

    assert capsys.readouterr().err == "rota: the task was paused by user olaf; it runs all the same\n"
