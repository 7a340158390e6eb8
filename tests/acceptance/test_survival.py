"""Runs outlive the server: every promise of it, with real kills."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from installed import is_alive, until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[tasks.count]
run = "for i in 1 2 3; do echo line $i; done; while [ ! -e go ]; do sleep 0.02; done; echo line 4; exit 7"
max_concurrent = 5

[tasks.short]
run = "sleep 0.4; echo done; exit 5"

[tasks.forever]
run = "echo up $$; sleep 1000 & echo $!; wait"
max_concurrent = 50
grace = "1s"

[tasks.deadline]
run = "echo up; sleep 1000"
timeout = "700ms"

[tasks.queue]
run = "sleep 0.3; echo ran"

[tasks.one_by_one]
run = "sleep 1000"

[tasks.quick]
run = "exit 0"
max_concurrent = 50
"""


@pytest.fixture
def rota(lend: Callable[[str], Installed]) -> Installed:
    return lend(CONFIG)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_run_goes_on_while_the_server_is_dead_and_ends_truly_after_a_restart(rota: Installed) -> None:
    run = rota.trigger("count")
    started = rota.until_running(run["id"])
    until_true(lambda: "line 3\n" in rota.log(run["id"]), "the third line is there")

    rota.kill()
    assert is_alive(started["pid"])
    rota.start()
    _let_go(rota)
    ended = rota.until_ended(run["id"])

    assert (ended["exit_code"], ended["end_reason"], ended["pid"]) == (7, "failed", started["pid"])
    assert rota.log(run["id"]) == "line 1\nline 2\nline 3\nline 4\n"
    assert ended["start_at"] == started["start_at"]


def test_a_run_that_ended_while_the_server_was_away_has_its_true_code_and_time(rota: Installed) -> None:
    run = rota.trigger("short")
    started = rota.until_running(run["id"])

    rota.kill()
    until_gone(started["pid"])
    after = time.time()
    time.sleep(1.0)  # so that the time of the restart differs from that of the end
    rota.start()
    ended = rota.until_ended(run["id"])

    assert (ended["exit_code"], ended["end_reason"]) == (5, "failed")
    assert _moment(ended["end_at"]).timestamp() <= after + 0.2
    assert 0.35 < ended["duration"] < 1.0
    assert rota.log(run["id"]) == "done\n"


def test_a_timeout_that_fell_due_while_the_server_was_away_was_enforced(rota: Installed) -> None:
    run = rota.trigger("deadline")
    started = rota.until_running(run["id"])

    rota.kill()
    until_gone(started["pid"])
    rota.start()
    ended = rota.until_ended(run["id"])

    assert (ended["end_reason"], ended["exit_code"], ended["signal"]) == ("timeout", None, "SIGTERM")
    assert 0.6 < ended["duration"] < 3.0


def test_pending_runs_stay_pending_and_start_in_their_order(rota: Installed) -> None:
    runs = [rota.trigger("queue") for _ in range(4)]
    rota.until_running(runs[0]["id"])
    assert rota.run(runs[3]["id"])["status"] == "pending"

    rota.kill()
    rota.start()
    ends = [rota.until_ended(run["id"]) for run in runs]

    assert [end["end_reason"] for end in ends] == ["success"] * 4
    starts = [_moment(end["start_at"]) for end in ends]
    assert starts == sorted(starts)
    assert all(before["end_at"] <= after["start_at"] for before, after in pairwise(ends))


def test_runs_of_a_killed_keeper_end_as_lost_once_and_nothing_of_them_is_left(rota: Installed) -> None:
    runs = [rota.trigger("forever") for _ in range(3)]
    for run in runs:
        rota.until_running(run["id"])
        until_true(lambda run=run: rota.log(run["id"]).count("\n") == 2, "both pids are written")
    pids = [int(word) for run in runs for word in rota.log(run["id"]).split() if word.isdigit()]
    ended: list[str] = []

    with rota.client.events({"kind": "run.ended"}) as events:
        _kill(rota.keeper())
        for event in events:
            ended.append(event.data["run"]["id"])
            if len(ended) == 3:
                break

    assert sorted(ended) == sorted(run["id"] for run in runs)
    for run in runs:
        lost = rota.run(run["id"])
        assert (lost["status"], lost["end_reason"], lost["exit_code"]) == ("ended", "lost", None)
    assert [pid for pid in pids if is_alive(pid)] == []
    assert rota.trigger("quick", "?wait=true")["end_reason"] == "success"


def test_runs_of_a_keeper_that_died_with_the_server_end_as_lost_too(rota: Installed) -> None:
    run = rota.trigger("forever")
    started = rota.until_running(run["id"])
    keeper = rota.keeper()

    rota.kill()
    _kill(keeper)
    assert is_alive(started["pid"])
    rota.start()
    lost = rota.until_ended(run["id"])

    assert lost["end_reason"] == "lost"
    assert not is_alive(started["pid"])
    assert f"what was left of it was ended: sh ({started['pid']})" in lost["message"]
    assert lost["message"] in rota.rota("show", run["id"]).stdout
    assert rota.trigger("quick", "?wait=true")["exit_code"] == 0


def test_sigterm_leaves_runs_alone_answers_waiters_and_ends_streams(rota: Installed) -> None:
    answers: list[tuple[int, dict[str, Any]]] = []
    streamed: list[str] = []
    listening = threading.Event()

    def wait() -> None:
        status, run, _ = rota.http("POST", "/api/tasks/count/run?wait=true")
        answers.append((status, run))

    def stream() -> None:
        with rota.client.events() as events:
            listening.set()
            streamed.extend(event.name for event in events)

    streamer = threading.Thread(target=stream)
    streamer.start()
    listening.wait(30)
    waiter = threading.Thread(target=wait)
    waiter.start()
    until_true(lambda: bool(rota.runs(task_name="count", status="running")), "it runs")
    [run] = rota.runs(task_name="count")

    took = rota.terminate()
    waiter.join(10)
    streamer.join(10)

    assert took < 2.0
    [(status, answer)] = answers
    assert (status, answer["id"], answer["status"], answer["exit_code"]) == (201, run["id"], "running", None)
    assert streamed[-1] == "closing"
    assert is_alive(run["pid"])
    rota.start()
    _let_go(rota)
    assert rota.until_ended(run["id"])["exit_code"] == 7
    assert rota.log(run["id"]).count("\n") == 4


def test_shutdown_ends_every_run_the_keeper_and_the_server(rota: Installed) -> None:
    run = rota.trigger("forever")
    started = rota.until_running(run["id"])
    keeper = rota.keeper()

    done = rota.rota("shutdown")
    assert rota.server is not None
    rota.server.wait(10)

    assert done.returncode == 0, done.stderr
    assert not is_alive(started["pid"])
    assert not is_alive(keeper)
    rota.start()
    ended = rota.run(run["id"])
    assert (ended["status"], ended["end_reason"], ended["signal"]) == ("ended", "stopped", "SIGTERM")


def test_shutdown_works_when_the_server_is_already_dead(rota: Installed) -> None:
    run = rota.trigger("forever")
    started = rota.until_running(run["id"])
    keeper = rota.keeper()

    rota.kill()
    done = rota.rota("shutdown")

    assert done.returncode == 0, done.stderr
    assert not is_alive(started["pid"])
    assert not is_alive(keeper)
    rota.start()
    assert rota.until_ended(run["id"])["end_reason"] == "stopped"


def test_shutdown_ends_what_a_dead_keeper_left_when_the_server_is_dead_too(rota: Installed) -> None:
    run = rota.trigger("forever")
    started = rota.until_running(run["id"])

    rota.kill()
    os.kill(rota.keeper(), signal.SIGKILL)
    done = rota.rota("shutdown")

    assert done.returncode == 0, done.stderr
    assert "what a dead keeper left is gone" in done.stdout
    assert not is_alive(started["pid"])
    rota.start()
    assert rota.until_ended(run["id"])["end_reason"] == "lost"


@pytest.mark.parametrize("server_is_dead", [False, True])
def test_shutdown_cancels_what_waits(rota: Installed, *, server_is_dead: bool) -> None:
    first, second = rota.trigger("one_by_one"), rota.trigger("one_by_one")
    rota.until_running(first["id"])

    if server_is_dead:
        rota.kill()
    assert rota.rota("shutdown").returncode == 0
    assert rota.server is not None
    rota.server.wait(10)
    rota.start()

    cancelled = rota.until_ended(second["id"])
    assert (cancelled["end_reason"], cancelled["start_at"]) == ("stopped", None)
    assert rota.until_ended(first["id"])["end_reason"] == "stopped"


def test_a_second_server_on_the_same_folder_is_refused_with_one_sentence(rota: Installed) -> None:
    done = rota.rota("serve", "--config", str(rota.config), "--port", "0")

    assert done.returncode not in (0, None)
    assert str(rota.data) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_the_command_lines_of_both_name_the_data_folder(rota: Installed) -> None:
    assert rota.server is not None
    for pid in (rota.server.pid, rota.keeper()):
        assert str(rota.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def test_a_data_folder_far_down_works(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG)
    rota.data = rota.folder.joinpath(*["a-folder-with-a-long-name"] * 8)
    rota.client.data = rota.data

    rota.start()

    assert rota.trigger("quick", "?wait=true")["end_reason"] == "success"
    assert rota.rota("run", "quick").returncode == 0


def _let_go(rota: Installed) -> None:
    """Let `count` go on: its working folder is the configuration file's."""
    (rota.folder / "go").touch()


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
