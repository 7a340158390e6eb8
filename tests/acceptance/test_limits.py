"""Limits of tasks and jobs through the installed program: what holds them, and who wants more than that."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installed import is_alive

from rota.keeper import cgroup

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

GREEDY = f"""{sys.executable} -c 'print("began", flush=True); x = bytearray(300_000_000); print("has it")'"""

#: It leaves its parent and its session, and clears its environment.
ESCAPE = "setsid sh -c 'env -i setsid sh -c \\\"echo \\\\$\\\\$; exec env -i sleep 300\\\" &' & sleep 0.3"

CONFIG = f"""
[jobs]
tasks_max = 100

[tasks.greedy]
run = '''{GREEDY}'''
memory_max = "150mb"

[tasks.all]
run = "true"
memory_max = "500mb"
cpu_max = 0.5
tasks_max = 64

[tasks.free]
run = "true"

[tasks.hidden]
run = "{ESCAPE}"
tasks_max = 64
"""

#: The controllers that this machine lets us have.
_BASE = cgroup.base()
ABLE = set() if _BASE is None else set(Path(_BASE, "cgroup.controllers").read_text().split())


def test_each_run_says_how_much_it_may_use_and_by_what_that_is_held(
    lend: Callable[[str], Installed],
) -> None:
    rota = lend(CONFIG)

    limits = rota.trigger("all", "?wait=true")["limits"]

    assert {name: limit["max"] for name, limit in limits.items()} == {
        "memory_max": 500_000_000, "cpu_max": 0.5, "tasks_max": 64,
    }  # fmt: skip
    for name, limit in limits.items():
        assert (limit["held_by"] == "cgroup") is (cgroup.CONTROLLERS[name] in ABLE), name
    assert rota.trigger("free", "?wait=true")["limits"] is None


def test_the_command_line_shows_what_holds_the_limits(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    run = rota.trigger("all", "?wait=true")

    [shown] = [line for line in rota.rota("show", run["id"]).stdout.splitlines() if line.startswith("limits")]
    told = json.loads(rota.rota("show", run["id"], "--json").stdout)["limits"]

    assert told == run["limits"]
    assert f"memory_max 500.0 MB by {told['memory_max']['held_by']}" in shown
    assert f"cpu_max 0.5 by {told['cpu_max']['held_by']}" in shown
    assert f"tasks_max 64 by {told['tasks_max']['held_by']}" in shown


def test_a_run_that_wants_more_memory_than_it_may_have_does_not_get_it(
    lend: Callable[[str], Installed],
) -> None:
    rota = lend(CONFIG)

    run = rota.trigger("greedy", "?wait=true")

    assert "has it" not in rota.log(run["id"])
    if run["limits"]["memory_max"]["held_by"] == "cgroup":
        assert (run["end_reason"], run["signal"]) == ("out_of_memory", "SIGKILL")
        assert run["message"] == "the kernel killed it for want of memory; its memory_max is 150000000 bytes"
    else:
        assert run["limits"]["memory_max"]["held_by"] == "rlimit"
        assert (run["end_reason"], run["exit_code"]) == ("failed", 1)
        assert "MemoryError" in rota.log(run["id"])


@pytest.mark.skipif(_BASE is None, reason="no control groups can be made here")
def test_a_process_that_hides_from_everything_but_its_control_group_is_ended_with_its_run(
    lend: Callable[[str], Installed],
) -> None:
    rota = lend(CONFIG)

    run = rota.trigger("hidden", "?wait=true")

    pid = int(rota.log(run["id"]).split()[0])
    assert not is_alive(pid)
    assert f"sleep ({pid})" in rota.rota("logs", run["id"], "--stream", "system").stderr


def test_a_job_has_the_limits_of_all_jobs(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)

    status, run, _ = rota.http("POST", "/api/jobs?wait=true", {"command": ["true"]})

    assert status == 201
    assert run["limits"]["tasks_max"]["max"] == 100


def test_a_running_run_tells_its_limits_after_the_server_was_killed(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG + '\n[tasks.slow]\nrun = "sleep 300"\ntasks_max = 64\n').start()
    run = rota.until_running(rota.trigger("slow")["id"])

    rota.kill()
    rota.start()

    assert run["limits"]["tasks_max"]["max"] == 64
    assert rota.run(run["id"])["limits"] == run["limits"]
    rota.rota("stop", run["id"])
