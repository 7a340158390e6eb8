"""Jobs for real: they outlive whoever started them, and `rota exec` is as if Rota were not in between."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from installed import PATIENCE, ROTA, environment, is_alive, until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[jobs]
max_concurrent = 3
"""

#: Says that it is up, and goes on when it is told to.
WAITS = "echo up; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 7"


@pytest.fixture
def rota(install: Callable[[str], Installed]) -> Installed:
    return install(CONFIG).start()


def start(rota: Installed, command: Any, **fields: Any) -> dict[str, Any]:
    body = {"command": command, "cwd": str(rota.folder)} | fields
    status, run, _ = rota.http("POST", "/api/jobs", body)
    assert status == 201, run
    return run


def until_up(rota: Installed, run: dict[str, Any]) -> None:
    until_true(lambda: "up" in rota.log(run["id"]), "it says that it is up")


class Attached:
    """`rota exec` or `rota attach`, in a session of its own as in a terminal."""

    def __init__(self, rota: Installed, *words: str, **settings: Any) -> None:
        self.rota = rota
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(
            [ROTA, "--data", str(rota.data), *words],
            cwd=rota.folder, env=environment() | {"MINE": "1"}, start_new_session=True,
            **(streams | settings),
        )  # fmt: skip

    def until_says(self, text: bytes) -> None:
        assert self.process.stdout is not None
        seen = b""
        while text not in seen:
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, seen
            seen += piece

    def over(self) -> tuple[int, bytes, bytes]:
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def run(self) -> dict[str, Any]:
        return self.rota.runs(kind="job")[0]


# --- what runs


def test_text_goes_on_after_a_failure_and_a_missing_program_is_127(rota: Installed) -> None:
    (rota.folder / "f").touch()

    run = start(rota, "grep nothing f; echo next; no-such-program")

    ended = rota.until_ended(run["id"])
    assert rota.log(run["id"]).startswith("next\n")
    assert (ended["end_reason"], ended["exit_code"]) == ("failed", 127)


def test_a_list_whose_program_does_not_exist_is_not_started(rota: Installed) -> None:
    ended = rota.until_ended(start(rota, ["no-such-program"])["id"])

    assert (ended["end_reason"], ended["exit_code"]) == ("start_failed", None)
    assert "no-such-program" in ended["message"]


def test_a_job_finds_a_login_and_not_the_server_s_environment(rota: Installed) -> None:
    run = start(rota, "env; pwd", cwd=None, env={"MINE": "1"})

    rota.until_ended(run["id"])
    found = rota.log(run["id"])
    env = dict(line.split("=", 1) for line in found.splitlines() if "=" in line)
    assert found.endswith(f"\n{env['HOME']}\n")
    assert {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "MINE", "ROTA_RUN_ID"} <= env.keys()
    assert not env.keys() & {"PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_XDIST_WORKER"}


def test_a_job_that_takes_too_long_is_stopped(rota: Installed) -> None:
    assert rota.until_ended(start(rota, ["sleep", "1000"], timeout=0.2)["id"])["end_reason"] == "timeout"


# --- what dies


def test_jobs_go_on_while_the_server_is_dead_and_those_that_wait_start_after_it(rota: Installed) -> None:
    running = [start(rota, WAITS, env={"SECRET": "hunter2"}) for _ in range(3)]
    for run in running:
        until_up(rota, run)
    waits = start(rota, 'echo "$SECRET"', env={"SECRET": "hunter2"}, name="waits")
    later = start(rota, 'echo "$SECRET"', env={"SECRET": "hunter3"}, at="2999-01-01T00:00:00Z")
    pids = [rota.run(run["id"])["pid"] for run in running]
    assert rota.run(waits["id"])["waiting_for"]["run_ids"] == [run["id"] for run in running]

    rota.kill()
    assert all(is_alive(pid) for pid in pids)
    (rota.folder / "go").touch()
    for pid in pids:
        until_gone(pid)
    rota.start()

    for run in running:
        ended = rota.until_ended(run["id"])
        assert (ended["end_reason"], ended["exit_code"]) == ("failed", 7)
        assert rota.log(run["id"]) == "up\ndone\n"
    rota.until_ended(waits["id"])
    assert rota.log(waits["id"]) == "hunter2\n"
    assert rota.run(later["id"])["waiting_for"]["kind"] == "time"
    for file in rota.data.glob("rota.db*"):
        assert b"hunter" not in file.read_bytes()


def test_a_job_is_lost_with_its_keeper_and_nothing_of_it_lives_on(rota: Installed) -> None:
    run = start(rota, "sleep 1000 & echo up $!; wait")
    until_up(rota, run)
    child = int(rota.log(run["id"]).split()[1])

    os.kill(rota.keeper(), signal.SIGKILL)

    assert rota.until_ended(run["id"])["end_reason"] == "lost"
    until_gone(child)


def test_a_shutdown_ends_jobs_and_cancels_those_that_wait(rota: Installed) -> None:
    running = start(rota, "sleep 1000 & echo up $!; wait")
    later = start(rota, "true", at="2999-01-01T00:00:00Z")
    until_up(rota, running)
    child = int(rota.log(running["id"]).split()[1])

    assert rota.rota("shutdown").returncode == 0
    assert rota.server is not None
    rota.server.wait(PATIENCE)

    until_gone(child)
    rota.start()
    assert [rota.run(run["id"])["end_reason"] for run in (running, later)] == ["stopped", "stopped"]


def test_ended_jobs_go_with_their_logs_when_there_are_too_many(install: Callable[[str], Installed]) -> None:
    rota = install("[jobs]\nkeep_runs = 2\n").start()
    runs = [start(rota, "echo x") for _ in range(4)]

    until_true(lambda: len(rota.runs(kind="job")) == 2, "two of four are kept")

    assert {run["id"] for run in rota.runs(kind="job")} <= {run["id"] for run in runs}
    until_true(lambda: len(list(rota.data.glob("runs/*/*.log"))) == 2, "their logs went with them")


# --- rota exec


def test_exec_is_as_if_the_command_ran_here(rota: Installed) -> None:
    script = 'echo out; echo err >&2; echo "$MINE $PWD"; printf "\\377"; exit 7'

    code, out, err = Attached(rota, "exec", "--", "sh", "-c", script).over()

    assert (code, out, err) == (7, f"out\n1 {rota.folder}\n".encode() + b"\xff", b"err\n")


def test_exec_tells_why_nothing_ran(rota: Installed) -> None:
    code, out, err = Attached(rota, "exec", "--", "no-such-program").over()

    assert (code, out) == (125, b"")
    assert b"no-such-program" in err


def test_ctrl_c_stops_the_command_and_all_that_it_started(rota: Installed) -> None:
    it = Attached(rota, "exec", "--", "sh", "-c", "sleep 1000 & echo up $!; wait")
    it.until_says(b"up ")
    child = int(rota.log(it.run()["id"]).split()[1])

    it.process.send_signal(signal.SIGINT)

    assert it.over()[0] == 130
    until_gone(child)
    assert it.run()["end_reason"] == "stopped"


def test_sigterm_stops_it_too(rota: Installed) -> None:
    it = Attached(rota, "exec", "--", "sh", "-c", "echo up; sleep 1000")
    it.until_says(b"up")

    it.process.terminate()

    assert it.over()[0] == 143
    assert it.run()["end_reason"] == "stopped"


def test_a_second_ctrl_c_does_not_wait_for_a_command_that_does_not_go(rota: Installed) -> None:
    it = Attached(
        rota, "exec", "--", "sh", "-c", "trap 'echo asked' TERM; echo up; while :; do sleep 0.1; done"
    )
    it.until_says(b"up")

    it.process.send_signal(signal.SIGINT)
    it.until_says(b"asked")
    it.process.send_signal(signal.SIGINT)

    assert it.over()[0] == 130


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGHUP])
def test_the_detach_key_and_the_hang_up_of_the_terminal_leave_it_running(
    rota: Installed, number: int
) -> None:
    it = Attached(rota, "exec", "--", "sh", "-c", WAITS)
    it.until_says(b"up")
    run = it.run()

    it.process.send_signal(number)

    code, _, err = it.over()
    assert code == 0
    assert f"rota attach {run['id']}".encode() in err
    assert rota.run(run["id"])["status"] == "running"
    (rota.folder / "go").touch()
    assert rota.until_ended(run["id"])["exit_code"] == 7


def test_attach_takes_up_what_was_left(rota: Installed) -> None:
    run = start(rota, WAITS, name="crunch")
    until_up(rota, run)

    it = Attached(rota, "attach", "crunch")
    it.until_says(b"up\n")
    (rota.folder / "go").touch()

    assert it.over()[:2] == (7, b"done\n")


def test_what_nobody_reads_any_more_is_stopped(rota: Installed) -> None:
    it = Attached(rota, "exec", "--", "yes")
    it.until_says(b"y\n")
    assert it.process.stdout is not None
    it.process.stdout.close()
    it.process.stdout = None

    assert it.over()[0] == 141
    assert rota.until_ended(it.run()["id"])["end_reason"] == "stopped"


def test_exec_goes_on_while_the_server_restarts(rota: Installed) -> None:
    it = Attached(rota, "exec", "--", "sh", "-c", WAITS)
    it.until_says(b"up")

    rota.kill()
    rota.start()
    (rota.folder / "go").touch()

    code, out, _ = it.over()
    assert code == 7
    assert out.endswith(b"done\n")


def test_a_detached_job_outlives_the_session_that_started_it(rota: Installed) -> None:
    done = rota.rota("exec", "--detach", "--name", "crunch", "--", "sh", "-c", "cat; echo read all")

    assert done.returncode == 0
    run = rota.until_ended(done.stdout.strip())
    assert (run["name"], rota.log(run["id"])) == ("crunch", "read all\n")


def test_jobs_run_in_a_moment_and_are_found_by_the_end_of_their_ids(rota: Installed) -> None:
    done = rota.rota("exec", "--at", "1s", "--", "echo", "later")
    run_id = done.stdout.strip()
    assert rota.rota("show", run_id[-8:]).stdout.count("pending") == 1

    rota.until_ended(run_id)

    assert rota.rota("logs", run_id[-8:]).stdout == "later\n"
    assert Path(rota.data / "key").exists()
