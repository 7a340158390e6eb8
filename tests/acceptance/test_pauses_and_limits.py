"""Limits that tasks share, and pauses, with the installed program, over a killed server too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from installed import until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

GROUPED = """
[server]
max_concurrent = 2
[groups.backups]
max_concurrent = 1
[defaults]
grace = "0s"
[tasks.a]
run = "sleep 1000"
group = "backups"
[tasks.b]
run = "sleep 1000"
group = "backups"
[tasks.high]
run = "sleep 1000"
group = "backups"
priority = 5
[tasks.beside]
run = "sleep 1000"
[tasks.last]
run = "sleep 1000"
"""


def start(rota: Installed, name: str, **body: Any) -> dict[str, Any]:
    _, run, _ = rota.http("POST", f"/api/tasks/{name}/run", body or None)
    return run


def status(rota: Installed, run: dict[str, Any]) -> str:
    found: str = rota.run(run["id"])["status"]
    return found


def test_groups_the_server_and_priorities_hold_over_a_killed_server(
    install: Callable[[str], Installed],
) -> None:
    rota = install(GROUPED).start()
    runs = {name: start(rota, name) for name in ("a", "b", "high", "beside", "last")}
    until_true(lambda: status(rota, runs["a"]) == status(rota, runs["beside"]) == "running", "two runs live")

    rota.kill()
    rota.start()

    waits = {name: rota.run(runs[name]["id"])["waiting_for"] for name in ("b", "high", "last")}
    assert waits["b"] == waits["high"] == {"kind": "group", "name": "backups", "run_ids": [runs["a"]["id"]]}
    assert (waits["last"]["kind"], set(waits["last"]["run_ids"])) == (
        "server",
        {runs["a"]["id"], runs["beside"]["id"]},
    )
    rota.rota("stop", runs["beside"]["id"])
    until_true(lambda: status(rota, runs["last"]) == "running", "the group keeps no other waiting")
    rota.rota("stop", runs["a"]["id"])
    until_true(lambda: status(rota, runs["high"]) == "running", "the higher priority goes first")
    assert status(rota, runs["b"]) == "pending"
    rota.rota("stop", "--all")


SHARED = """
[defaults]
grace = "0s"
[groups.few]
max_concurrent = 1
[tasks.holder]
run = "sleep 1000"
group = "few"
[tasks.tick]
run = "true"
cron = "* * * * * *"
group = "few"
"""


def test_why_names_the_group_that_a_tick_waits_for_and_waited_for_and_who_had_its_slots(
    install: Callable[[str], Installed],
) -> None:
    rota = install(SHARED).start()
    holder = start(rota, "holder")

    def told(words: str) -> bool:
        _, why, _ = rota.http("GET", "/api/tasks/tick/why")
        return any(words in each["message"] and each["behind"] == [holder["id"]] for each in why["last"])

    until_true(lambda: told("behind others, which have the slots of the group few"), "a tick waits")
    until_true(lambda: rota.run(holder["id"])["status"] == "running", "the holder lives")
    waits = rota.runs(task_name="tick", status="pending")[-1]
    came = datetime.fromisoformat(waits["created_at"])
    until_true(lambda: datetime.now(UTC) - came > timedelta(seconds=1.5), "it has waited")
    rota.rota("stop", holder["id"])
    until_true(lambda: told("after others, which had the slots of the group few"), "it ran after the holder")
    assert "the group few" in rota.rota("why", "tick").stdout


PAUSED = """
[defaults]
grace = "0s"
[tasks.tick]
run = "true"
cron = "* * * * * *"
group = "backups"
[tasks.slow]
run = "sleep 1000"
group = "backups"
"""


def test_a_pause_holds_what_starts_by_itself_over_a_killed_server_until_it_is_resumed(
    install: Callable[[str], Installed],
) -> None:
    rota = install(PAUSED).start()
    running, waiting = start(rota, "slow"), start(rota, "slow")
    until_true(lambda: status(rota, running) == "running", "it runs")
    said = rota.rota("pause", "--group", "backups", "--reason", "deploying").stdout
    later = start(rota, "slow", at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())

    until_true(
        lambda: any((run["missed_ticks"] or 0) >= 2 for run in rota.runs(task_name="tick")),
        "two ticks were missed",
    )
    rota.kill()
    rota.start()
    rota.rota("stop", running["id"])
    until_true(
        lambda: (rota.run(later["id"])["waiting_for"] or {}).get("kind") == "pause", "its time has come"
    )

    assert said.startswith("paused: group backups by user ")
    assert said.endswith("(deploying)\n")
    assert rota.run(waiting["id"])["waiting_for"] == {"kind": "pause", "name": "backups", "run_ids": []}
    assert "group backups by user" in rota.rota("status").stdout
    assert rota.rota("list").stdout.count("paused") == 2
    assert "(deploying): ticks that come before it is resumed are missed" in rota.rota("why", "tick").stderr
    asked = rota.rota("run", "tick")
    assert (asked.returncode, "(deploying); it runs all the same" in asked.stderr) == (0, True)

    assert rota.rota("resume", "--group", "backups").stdout == "group backups: not paused\n"
    resumed_at = datetime.now(UTC)
    until_true(lambda: status(rota, waiting) == "running", "what was held goes on in its turn")
    until_true(
        lambda: any(
            run["end_reason"] == "success" and run["triggered_by"] == "cron"
            for run in rota.runs(task_name="tick")
            if datetime.fromisoformat(run["created_at"]) > resumed_at
        ),
        "it ticks again",
    )
    why = json.loads(rota.rota("why", "tick", "--json").stdout)
    ticks = [(each["first"], each["last"], each["count"]) for each in why["last"]]
    for first, last, count in ticks:
        span = datetime.fromisoformat(last) - datetime.fromisoformat(first)
        assert span == timedelta(seconds=count - 1)  # every tick once, none twice, none left out
    for (_, last, _), (first, _, _) in pairwise(ticks):
        assert datetime.fromisoformat(first) - datetime.fromisoformat(last) == timedelta(seconds=1)
    assert not [run for run in rota.runs(task_name="tick") if run["triggered_by"] == "catch_up"]
    rota.rota("pause", "--all")
    rota.rota("stop", "--all")


def test_a_slip_in_a_name_is_told_with_what_may_be_meant(install: Callable[[str], Installed]) -> None:
    rota = install(PAUSED).start()

    group = rota.rota("pause", "--group", "backup")
    task = rota.rota("resume", "tik")

    assert (group.returncode, task.returncode) == (1, 1)
    assert "did you mean 'backups'?" in group.stderr
    assert "did you mean 'tick'?" in task.stderr
