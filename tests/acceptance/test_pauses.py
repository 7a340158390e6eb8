"""Pauses of a task and of everything, with the installed program: what they hold, and what they do not."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from installed import until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[defaults]
grace = "0s"
[tasks.tick]
run = "true"
cron = "* * * * * *"
catch_up = 5
[tasks.flaky]
run = "exit 7"
retry = { attempts = 2, delay = "1s" }
[tasks.beside]
run = "true"
cron = "* * * * * *"
[services.web]
run = "exec sleep 1000"
restart_delay = "0s"
healthy_after = "0s"
"""


def ran_by_cron(rota: Installed, name: str) -> int:
    return len(rota.runs(task_name=name, triggered_by="cron", end_reason="success"))


def missed_ticks(rota: Installed, name: str) -> int:
    return sum(run["missed_ticks"] for run in rota.runs(task_name=name, end_reason="missed"))


def is_held(rota: Installed, run_id: str, by: str | None) -> bool:
    waiting_for = rota.run(run_id)["waiting_for"]
    return bool(waiting_for == {"kind": "pause", "name": by, "run_ids": []})


def web(rota: Installed) -> dict[str, Any]:
    [instance] = rota.http("GET", "/api/services/web")[1]["instances"]
    return dict(instance)


def until_well(rota: Installed, *, but: int | None = None) -> dict[str, Any]:
    """The service's instance, once it is healthy, and another than the process `but`."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [web(rota)]
        return found[0]["state"] == "healthy" and found[0]["pid"] != but

    until_true(look, "the service is well")
    return found[0]


def test_a_paused_task_keeps_its_retry_and_its_one_shot_over_a_killed_server_and_loses_its_ticks(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG).start()
    until_true(lambda: ran_by_cron(rota, "tick") >= 1, "it ticks")
    for name in ("tick", "flaky"):
        status, state, _ = rota.http("POST", f"/api/tasks/{name}/pause", {"reason": "deploying ☂"})
        assert (status, state["pauses"][0]["reason"], state["pauses"][0]["via"]) == (
            200,
            "deploying ☂",
            "api",
        )
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    later = rota.http("POST", "/api/tasks/flaky/run", {"at": soon})[1]

    asked = rota.http("POST", "/api/tasks/flaky/run")[1]
    first = rota.until_ended(asked["id"])
    retry = first["next_attempt_run_id"]
    for held in (retry, later["id"]):
        until_true(lambda held=held: is_held(rota, held, "flaky"), "its time has come, and it is held")
    rota.kill()
    rota.start()

    assert asked["despite_pause"].endswith("(deploying ☂)")
    assert is_held(rota, retry, "flaky")
    assert is_held(rota, later["id"], "flaky")
    assert rota.rota("status").stdout.count("(deploying ☂)") == 2
    before, beside = missed_ticks(rota, "tick"), ran_by_cron(rota, "beside")
    until_true(lambda: missed_ticks(rota, "tick") >= before + 2, "its ticks are missed")
    until_true(lambda: ran_by_cron(rota, "beside") >= beside + 2, "those of others are not")
    assert "was paused by user" in rota.runs(task_name="tick", end_reason="missed")[0]["message"]

    assert rota.rota("resume", "flaky").stdout == "task flaky: not paused\n"
    second = rota.until_ended(retry)
    assert (second["end_reason"], second["retry_attempt"]) == ("failed", 1)
    assert rota.until_ended(later["id"])["end_reason"] == "failed"
    ran = ran_by_cron(rota, "tick")
    rota.rota("resume", "tick")
    until_true(lambda: ran_by_cron(rota, "tick") > ran, "it ticks again")
    assert rota.runs(task_name="tick", triggered_by="catch_up") == []


def test_a_pause_of_everything_holds_no_service_and_nothing_that_is_asked_for(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG).start()
    life = until_well(rota)
    said = rota.rota("pause", "--all", "--reason", "moving house").stdout
    assert said.startswith("paused: everything by user ")
    assert said.endswith("(moving house)\n")

    os.kill(life["pid"], signal.SIGKILL)
    until_gone(life["pid"])
    next_life = until_well(rota, but=life["pid"])
    rota.kill()
    rota.start()

    assert web(rota)["pid"] == next_life["pid"]
    assert web(rota)["restarts"] == 1
    rota.rota("restart", "web")
    assert web(rota)["state"] == "healthy"
    assert web(rota)["pid"] != next_life["pid"]
    assert rota.rota("exec", "--", "echo", "a job").stdout == "a job\n"
    asked = rota.http("POST", "/api/tasks/beside/run?wait=true")[1]
    assert (asked["end_reason"], "(moving house)" in asked["despite_pause"]) == ("success", True)
    until_true(
        lambda: missed_ticks(rota, "tick") >= 2 and missed_ticks(rota, "beside") >= 2, "all ticks are missed"
    )
    assert rota.http("GET", "/api/next")[1]["items"] == []

    assert rota.http("POST", "/api/resume")[1]["pauses"] == []
    ran = ran_by_cron(rota, "tick")
    until_true(lambda: ran_by_cron(rota, "tick") > ran, "it ticks again")
