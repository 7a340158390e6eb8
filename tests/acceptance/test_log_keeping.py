"""Caps and retention through the installed program: `kill`, `keep_runs`, `keep_for`, `max_size`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from installed import until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[storage]
max_size = "3mb"

[tasks.chatty]
run = "echo begun; yes"
log_max_size = "200kb"
log_on_full = "kill"

[tasks.long]
run = "seq 1 1000000"
log_max_size = "200kb"

[tasks.large]
run = "head -c 1000000 /dev/zero | tr '\\\\0' x"

[tasks.counted]
run = "echo $ROTA_RUN_ID"
keep_runs = 2

[tasks.timed]
run = "echo $ROTA_RUN_ID"
keep_for = "1s"
"""


def files(rota: Installed, run_id: str) -> list[str]:
    return sorted(path.suffix for path in (rota.data / "runs" / run_id[:7]).glob(f"{run_id}.*"))


def test_a_run_that_writes_too_much_is_killed_and_says_so(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()

    run = rota.trigger("chatty", "?wait=true")

    assert (run["status"], run["end_reason"]) == ("ended", "log_overflow")
    assert rota.log(run["id"]).startswith("begun\ny\ny\n")
    assert len(rota.log(run["id"])) < 200_000
    shown = rota.rota("logs", run["id"])
    assert "more than 200000 bytes (log_max_size)" in shown.stderr


def test_a_long_log_keeps_its_end_and_tells_what_went(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()

    run = rota.trigger("long", "?wait=true")

    assert run["end_reason"] == "success"
    log = rota.log(run["id"])
    assert log.endswith("\n999999\n1000000\n")
    assert "\0" not in log
    assert 150_000 < len(log) < 200_000
    shown = rota.rota("logs", run["id"])
    assert shown.stdout == log
    assert f"the first {6_888_896 - len(log)} bytes" in shown.stderr


def test_runs_go_with_their_logs_when_there_are_too_many_or_they_are_too_old(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG).start()
    counted = [rota.trigger("counted", "?wait=true")["id"] for _ in range(4)]
    timed = rota.trigger("timed", "?wait=true")["id"]

    until_true(lambda: len(rota.runs()) == 2, "two runs are left")

    assert {run["id"] for run in rota.runs()} == set(counted[2:])
    until_true(lambda: not any(files(rota, each) for each in (*counted[:2], timed)), "their files are gone")
    assert all(rota.log(each) == f"{each}\n" for each in counted[2:])
    status, problem, _ = rota.http("GET", f"/api/runs/{timed}")
    assert (status, problem["status"]) == (404, 404)


def test_the_oldest_logs_make_room_while_their_runs_stay(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()

    runs = [rota.trigger("large", "?wait=true")["id"] for _ in range(5)]

    until_true(
        lambda: [bool(files(rota, each)) for each in runs] == [False] * 3 + [True] * 2, "room was made"
    )
    assert len(rota.runs()) == 5
    assert len(rota.log(runs[4])) == 1_000_000
