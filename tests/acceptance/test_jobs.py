"""Jobs for real: they outlive whoever started them, and `rota exec` is as if Rota were not in between."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import pwd
import select
import signal
import subprocess
import termios
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
def rota(lend: Callable[[str], Installed]) -> Installed:
    return lend(CONFIG)


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
    later = start(rota, 'echo "$SECRET"', env={"SECRET": "hunter3"}, at="2099-01-01T00:00:00Z")
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
    later = start(rota, "true", at="2099-01-01T00:00:00Z")
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


# --- input


def test_what_is_typed_goes_to_the_command_up_to_its_end(rota: Installed) -> None:
    it = Attached(rota, "exec", "--", "sort", stdin=subprocess.PIPE)

    out, said = it.process.communicate(b"b\n\xff\na\n", timeout=PATIENCE)
    assert said == b""  # what was typed is no news here

    assert (it.process.returncode, out) == (0, b"a\nb\n\xff\n")


def test_more_than_a_program_reads_at_once_arrives_whole(rota: Installed) -> None:
    content = os.urandom(3_000_000)
    script = "sleep 0.3; sha256sum"

    it = Attached(rota, "exec", "--", "sh", "-c", script, stdin=subprocess.PIPE)
    out, _ = it.process.communicate(content, timeout=PATIENCE)

    assert out.split()[0].decode() == hashlib.sha256(content).hexdigest()


def test_input_is_in_no_log(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()  # one whose jobs have written nothing else
    it = Attached(rota, "exec", "--", "sh", "-c", "read secret; echo read", stdin=subprocess.PIPE)

    it.process.communicate(b"hunter2\n", timeout=PATIENCE)

    for file in rota.data.glob("runs/*/*"):
        assert b"hunter2" not in file.read_bytes()


def test_a_second_terminal_feeds_what_a_first_one_left(rota: Installed) -> None:
    first = Attached(
        rota, "exec", "--name", "reader", "--", "sh", "-c", "echo up; cat", stdin=subprocess.PIPE
    )
    first.until_says(b"up")
    first.process.send_signal(signal.SIGQUIT)
    assert first.process.wait(PATIENCE) == 0
    first.over()

    rota.kill()
    rota.start()
    second = Attached(rota, "attach", "reader", stdin=subprocess.PIPE)
    out, _ = second.process.communicate(b"hello\n", timeout=PATIENCE)

    assert (second.process.returncode, out) == (0, b"up\nhello\n")


class Terminal:
    """A terminal, and what is attached to it."""

    def __init__(self, rota: Installed, *words: str) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(self.master, (30, 100))
        self.before = termios.tcgetattr(slave)
        self.it = Attached(rota, *words, stdin=slave, stdout=slave, stderr=slave)
        self.slave = slave
        self.seen = b""

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def until_says(self, text: bytes) -> None:
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], PATIENCE)
            assert ready, self.seen
            self.seen += os.read(self.master, 4096)

    def over(self) -> int:
        code = self.it.process.wait(PATIENCE)
        assert termios.tcgetattr(self.slave) == self.before  # as it was
        os.close(self.master)
        os.close(self.slave)
        return code


def test_with_a_terminal_each_key_goes_to_the_program(rota: Installed) -> None:
    it = Terminal(rota, "exec", "--pty", "--", "sh")
    it.until_says(b"# " if os.geteuid() == 0 else b"$ ")
    it.type(b"tty && stty size\r")
    it.until_says(b"30 100")
    it.type(b"trap 'echo inter''rupted' INT; sleep 1000\r")
    it.until_says(b"sleep 1000")
    until_true(lambda: _sleeps(rota, it.it.run()["pid"]), "it sleeps")
    it.type(b"\x03")
    it.until_says(b"interrupted")
    it.type(b"exit 5\r")

    assert it.over() == 5


def test_the_detach_key_works_in_a_terminal_and_a_resize_is_passed_on(rota: Installed) -> None:
    script = "trap 'stty size' WINCH; echo up; while :; do sleep 0.05; done"
    it = Terminal(rota, "exec", "--pty", "--name", "shell", "--", "sh", "-c", script)
    it.until_says(b"up")
    termios.tcsetwinsize(it.master, (40, 120))
    os.kill(it.it.process.pid, signal.SIGWINCH)
    it.until_says(b"40 120")

    it.type(b"\x1c")

    it.until_says(b"detached")
    assert it.over() == 0
    assert it.it.run()["status"] == "running"


def test_a_terminal_that_hangs_up_leaves_the_command_and_its_input_open(rota: Installed) -> None:
    master, slave = pty.openpty()
    it = Attached(
        rota, "exec", "--", "sh", "-c", "echo up; cat; echo end",
        stdin=slave, stdout=slave, stderr=slave, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    assert b"up" in os.read(master, 100)

    os.close(master)

    assert it.process.wait(PATIENCE) == 0
    assert it.run()["status"] == "running"
    second = Attached(rota, "attach", it.run()["id"][-12:], stdin=subprocess.PIPE)
    out, _ = second.process.communicate(b"still open\n", timeout=PATIENCE)
    assert (second.process.returncode, out) == (0, b"up\nstill open\nend\n")


def _sleeps(rota: Installed, pid: int) -> bool:
    done = subprocess.run(["pgrep", "-P", str(pid), "sleep"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="another user takes root")
def test_jobs_are_their_user_s(install: Callable[[str], Installed]) -> None:
    rota = install('[jobs]\nuser = "nobody"\n').start()

    run = start(rota, 'id -un; echo "$USER $HOME"; pwd', cwd="/")

    rota.until_ended(run["id"])
    home = pwd.getpwnam("nobody").pw_dir
    assert rota.log(run["id"]) == f"nobody\nnobody {home}\n/\n"


def test_jobs_run_in_a_moment_and_are_found_by_the_end_of_their_ids(rota: Installed) -> None:
    done = rota.rota("exec", "--at", "1s", "--", "echo", "later")
    run_id = done.stdout.strip()
    assert run_id in rota.rota("show", run_id[-8:]).stdout

    ended = rota.until_ended(run_id)

    assert ended["start_at"] >= ended["scheduled_at"]
    assert rota.rota("logs", run_id[-8:]).stdout == "later\n"
    assert Path(rota.data / "key").exists()
