"""The command line as its users meet it: the installed program, a real server, real runs."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from installed import PATIENCE, ROTA, Installed, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG = """
[tasks.hello]
run = "echo out; echo err >&2; echo more"
description = "Says hello"

[tasks.three]
run = "exit 3"

[tasks.good-three]
run = "exit 3"
exit_codes = [0, 3]

[tasks.killed]
run = "kill -SEGV $$"

[tasks.late]
run = "sleep 60"
timeout = "200ms"

[tasks.nowhere]
run = "true"
working_dir = "/no/such/folder"

[tasks.closed]
run = "true"
manual_trigger = false

[tasks.bytes]
run = "head -c 300000 /dev/zero | tr '\\\\0' '\\\\377'; printf '\\\\0\\\\001\\\\r\\\\n\\\\033[31m'"

[tasks.greet]
run = '''
printf '[%s]' "$0" "$@" "$LEVEL"
'''

[[tasks.greet.params]]
arg = "who"
required = true

[[tasks.greet.params]]
option = "--times"
type = "integer"
max = 9

[[tasks.greet.params]]
flag = "--loud"

[[tasks.greet.params]]
env = "LEVEL"
default = "low"

[tasks.endless]
run = "echo begun; exec sleep 600"

[tasks.once]
run = "echo begun; exec sleep 600"
on_overlap = "skip"
"""


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    installed = Installed(tmp_path_factory.mktemp("rota"), CONFIG).start()
    yield installed
    installed.end()


def follow(rota: Installed, *words: str) -> subprocess.Popen[str]:
    """A command that goes on, after its first line of output."""
    command = subprocess.Popen(
        [ROTA, *words, "--data", str(rota.data)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert command.stdout is not None
    ready, _, _ = select.select([command.stdout], [], [], PATIENCE)
    assert ready
    assert command.stdout.readline() == "begun\n"
    return command


def test_both_streams_come_through_their_own(rota: Installed):
    done = rota.rota("run", "hello")

    assert (done.returncode, done.stdout, done.stderr) == (0, "out\nmore\n", "err\n")


def test_parameters_reach_the_script_as_they_were_written(rota: Installed):
    odd = "a b'\"; $(touch x) `id` $HOME\n*"

    words = ("run", "greet", "-p", f"who={odd}", "-p", "--times=3", "--param=--loud=true", "-p", "LEVEL=")
    done = rota.rota(*words)
    plain = rota.rota("run", "greet", "-p", "who=me", "--null", "LEVEL")

    assert (done.returncode, done.stdout) == (0, f"[sh][{odd}][--times][3][--loud][]")
    assert plain.stdout == "[sh][me][]"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("-p", "--times=10", "-p", "leve=x"),
            125,
            [
                "body.params.leve: task 'greet' declares no such parameter; did you mean LEVEL?",
                "body.params.who: it is required; allowed: text",
                'body.params.--times: the text "10" is too large; allowed: a whole number up to 9',
            ],
        ),
        (("--null", "who"), 125, ["body.params.who: it is required, and null leaves it out"]),
        (("-p", "who"), 2, ["--param who has no value, and standard input has none either"]),
        (("-p", "=x"), 2, ["--param =x has no name; write it as NAME=VALUE"]),
        (("-p", "who=a", "--null", "who"), 2, ["--param who is given more than once"]),
    ],
)
def test_every_fault_of_the_parameters_is_named(
    rota: Installed, words: tuple[str, ...], code: int, said: list[str]
):
    done = rota.rota("run", "greet", *words)

    assert done.returncode == code
    assert all(sentence in done.stderr for sentence in said), done.stderr


def test_bytes_come_through_unchanged(rota: Installed):
    done = subprocess.run(
        [ROTA, "run", "bytes", "--data", rota.data], capture_output=True, timeout=PATIENCE, env=environment()
    )

    assert done.returncode == 0
    assert done.stdout == b"\xff" * 300_000 + b"\0\x01\r\n\x1b[31m"


@pytest.mark.parametrize(
    ("task", "code", "said"),
    [
        ("three", 3, "three failed with exit code 3"),
        ("good-three", 3, ""),
        ("killed", 139, "killed died of SIGSEGV"),
        ("late", 124, "late timed out"),
        ("nowhere", 125, "/no/such/folder"),
        ("closed", 125, "manual_trigger"),
        ("helo", 125, "did you mean 'hello'?"),
        ("not a name", 125, "rota: "),
    ],
)
def test_it_exits_as_the_run_ended(rota: Installed, task: str, code: int, said: str):
    done = rota.rota("run", task)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stopped_run_ends_its_watchers(rota: Installed):
    running = follow(rota, "run", "endless")
    run = rota.until_running(rota.runs(task_name="endless")[0]["id"])  # it may write before that is recorded
    watching = follow(rota, "logs", run["id"], "--follow")

    stopped = rota.rota("stop", run["id"][-8:])

    assert stopped.returncode == 0
    assert "endless was stopped" in stopped.stdout
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 143
    assert "was stopped" in err
    watching.communicate(timeout=PATIENCE)
    assert watching.returncode == 0

    again = rota.rota("stop", run["id"])
    assert again.returncode == 1
    assert "already ended" in again.stderr


def test_ctrl_c_ends_the_waiting_and_not_the_run(rota: Installed):
    running = follow(rota, "run", "endless")
    run = rota.until_running(rota.runs(task_name="endless")[0]["id"])  # it may write before that is recorded

    running.send_signal(signal.SIGINT)

    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert f"rota stop {run['id']}" in err
    assert rota.run(run["id"])["status"] == "running"
    assert rota.rota("stop", "--all").returncode == 0
    assert rota.run(run["id"])["end_reason"] == "stopped"


def test_a_skipped_trigger_is_rotas_own_failure(rota: Installed):
    first = rota.rota("run", "once", "--no-wait").stdout.strip()

    second = rota.rota("run", "once")

    assert second.returncode == 125
    assert second.stderr.startswith("rota: ")
    assert rota.rota("stop", first, "--no-wait").returncode == 0
    rota.until_ended(first)


def test_with_json_there_is_one_document(rota: Installed):
    run = json.loads(rota.rota("run", "hello", "--json").stdout)

    assert run["status"] == "ended"
    assert run["triggered_by"] == "cli"
    shown = json.loads(rota.rota("show", run["id"], "--json").stdout)
    assert shown == run
    listed = json.loads(rota.rota("runs", "hello", "--limit", "1", "--json").stdout)
    assert [each["id"] for each in listed] == [run["id"]]
    tasks = json.loads(rota.rota("list", "--json").stdout)
    assert [task["name"] for task in tasks] == sorted(task["name"] for task in tasks)
    status = json.loads(rota.rota("status", "--json").stdout)
    assert status["healthy"] is True
    assert status["keeper"] is True


def test_in_a_pipe_there_are_plain_columns(rota: Installed):
    run_id = rota.rota("run", "three", "--no-wait").stdout.strip()
    rota.until_ended(run_id)

    lines = rota.rota("runs", "three", "-n", "1").stdout.splitlines()

    assert lines[0].split() == ["RUN", "TASK", "STATUS", "STARTED", "TOOK", "EXIT", "BY"]
    cells = lines[1].split()
    assert [cells[0], cells[1], cells[2], cells[5], cells[6]] == [run_id, "three", "failed", "3", "cli"]
    assert rota.rota("list").stdout.startswith("TASK")
    assert "\x1b" not in rota.rota("show", run_id).stdout


@pytest.mark.parametrize("colours", [True, False])
def test_on_a_terminal_there_are_tables_for_people(rota: Installed, colours: bool):
    rota.rota("run", "three")
    ours, theirs = pty.openpty()
    env = environment() | {"TERM": "xterm-256color", "COLUMNS": "100"}
    env.pop("NO_COLOR", None)
    if not colours:
        env["NO_COLOR"] = "1"

    with open(theirs, "wb") as terminal:
        subprocess.run(
            [ROTA, "runs", "three", "--data", rota.data],
            stdout=terminal,
            env=env,
            timeout=PATIENCE,
            check=True,
        )
    with open(ours, "rb", buffering=0) as screen:
        text = screen.read(65536).decode()

    assert ("\x1b[31mfailed" in text) is colours
    assert "ago" in text or "now" in text
    [latest, *_] = rota.runs(task_name="three")
    assert latest["id"][-12:] in text
    assert latest["id"] not in text


def test_a_reader_that_leaves_ends_it_quietly(rota: Installed):
    run_id = rota.rota("run", "bytes", "--no-wait").stdout.strip()
    rota.until_ended(run_id)

    command = subprocess.Popen(
        [ROTA, "logs", run_id, "--data", rota.data],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert command.stdout is not None
    command.stdout.read(1)
    command.stdout.close()
    command.stdout = None
    _, err = command.communicate(timeout=PATIENCE)

    assert (command.returncode, err) == (141, b"")


@pytest.mark.parametrize(
    ("words", "code"), [(["run", "hello"], 125), (["exec", "--", "echo", "out"], 125), (["list"], 1)]
)
def test_output_that_cannot_be_written_is_rotas_own_failure_and_no_task_s(
    rota: Installed, words: list[str], code: int
):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [ROTA, "--data", rota.data, *words],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(),
            check=False,
        )  # fmt: skip

    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, "rota: No space left on device")


def test_a_reader_that_leaves_ends_the_help_quietly_too():
    out, closed = os.pipe()
    os.close(out)

    done = subprocess.run([ROTA, "run", "--help"], stdout=closed, stderr=subprocess.PIPE, check=False)

    os.close(closed)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_verbs_tasks_and_runs(rota: Installed, shell: str):
    script = subprocess.run(
        [ROTA, "completion", shell], capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout

    assert "shutdown" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=PATIENCE)
    env = environment() | {"ROTA_DATA": str(rota.data)}
    names = subprocess.run(
        [ROTA, "__complete", "run", ""], capture_output=True, text=True, env=env, timeout=PATIENCE, check=True
    ).stdout
    assert "hello\tSays hello" in names


def test_a_list_in_a_pipe_imports_nothing_of_the_servers(rota: Installed):
    program = (
        "import sys; from rota.cli.main import run; run(sys.argv[1:]); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, "list", "--data", rota.data],
        capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=True,
    )  # fmt: skip

    *table, modules = done.stdout.splitlines()
    assert table[1].startswith("bytes")
    heavy = {"fastapi", "sqlalchemy", "textual", "uvicorn", "httpx", "httpx2", "pydantic", "asyncio", "rich"}
    assert heavy.isdisjoint(modules.split())


def test_a_second_server_and_a_bad_file_are_one_sentence(rota: Installed):
    second = rota.rota("serve", "--config", str(rota.config), "--port", "0")

    assert second.returncode == 1
    assert "serves the data folder" in second.stderr
    assert "Traceback" not in second.stderr

    bad = rota.folder / "bad.toml"
    bad.write_text('[tasks.x]\nrnu = "true"\n')
    refused = rota.rota("serve", "--config", str(bad))
    assert refused.returncode == 1
    assert f"{bad}:2:1" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_rota_run_goes_on_over_a_killed_server(install: Callable[[str], Installed]):
    rota = install('[tasks.gated]\nrun = "echo begun; read line < gate; echo $line; exit 5"').start()
    os.mkfifo(rota.folder / "gate")
    running = follow(rota, "run", "gated")

    rota.kill()
    with open(rota.folder / "gate", "w") as gate:
        gate.write("written while the server was dead\n")
    rota.start()

    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 5
    assert out == "written while the server was dead\n"
    assert err.count("the server went away") == 1


def test_shutdown_leaves_nothing_in_a_folder_that_is_not_rotas(tmp_path: Path):
    done = subprocess.run(
        [ROTA, "shutdown", "--data", tmp_path], capture_output=True, text=True, env=environment(), check=False
    )

    assert (done.returncode, done.stdout) == (0, f"nothing runs for {tmp_path}\n")
    assert not list(tmp_path.iterdir())


def test_shutdown_says_what_it_ended(install: Callable[[str], Installed]):
    rota = install('[tasks.endless]\nrun = "echo begun; exec sleep 600"').start()
    running = follow(rota, "run", "endless")

    done = rota.rota("shutdown")

    assert done.returncode == 0
    assert "endless was stopped" in done.stdout
    assert "server and keeper gone" in done.stdout
    running.communicate(timeout=PATIENCE)
    assert running.returncode == 143
    assert rota.rota("status").returncode == 3
