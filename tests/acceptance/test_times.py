"""Runs and their times, with the installed program: gaps, deadlines, jitter, later, on start, why."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays
from installed import until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def was_away(rota: Installed, **span: float) -> None:
    """Have a server that is down believe that it has been so for that long."""
    span_us = timedelta(**span) // timedelta(microseconds=1)
    with closing(sqlite3.connect(rota.data / "rota.db")) as database, database:
        database.execute("UPDATE tasks SET schedule_since = schedule_since - 2 * ?", (span_us,))
        for column in ("created_at", "scheduled_at", "missed_since", "start_at", "end_at"):
            database.execute(f"UPDATE runs SET {column} = {column} - ?", (span_us,))
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        database.execute(
            "INSERT INTO meta VALUES ('horizon', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (str(now - span_us),),
        )


@pytest.mark.parametrize(("catch_up", "runs"), [(0, 0), (1, 1), (3, 3)])
def test_after_a_gap_the_newest_ticks_run_and_one_run_tells_of_all(
    install: Callable[[str], Installed], catch_up: int, runs: int
) -> None:
    rota = install(f'[tasks.job]\nrun = "true"\ncron = "0 */2 * * *"\ncatch_up = {catch_up}\n').start()
    rota.kill()
    was_away(rota, hours=24, minutes=2)

    rota.start()
    until_true(
        lambda: len([run for run in rota.runs() if run["status"] == "ended"]) == 1 + runs,
        "its runs have ended",
    )

    [missed] = [run for run in rota.runs() if run["end_reason"] == "missed"]
    caught_up = [run for run in rota.runs() if run["triggered_by"] == "catch_up"]
    assert missed["missed_ticks"] in (11, 12, 13)
    assert "Rota was not running" in missed["message"]
    assert len(caught_up) == runs
    ticks = sorted(moment(run["scheduled_at"]) for run in caught_up)
    assert all(later - earlier == timedelta(hours=2) for earlier, later in pairwise(ticks))
    assert not ticks or ticks[-1] == moment(missed["scheduled_at"])


def test_time_in_which_a_task_was_new_changed_or_disabled_owes_nothing(
    install: Callable[[str], Installed],
) -> None:
    tasks = {
        "usual": 'cron = "0 */2 * * *"',
        "changed": 'cron = "0 */2 * * *"',
        "disabled": 'cron = "0 */2 * * *"\nenabled = false',
    }

    def write(**tables: str) -> str:
        return "".join(f'[tasks.{name}]\nrun = "true"\n{keys}\n' for name, keys in tables.items())

    rota = install(write(**tasks)).start()
    rota.kill()
    was_away(rota, hours=24, minutes=2)
    rota.config.write_text(
        write(
            usual=tasks["usual"], changed='cron = "0 */3 * * *"', disabled=tasks["usual"], new=tasks["usual"]
        )
    )

    rota.start()
    until_true(lambda: len(rota.runs(task_name="usual", status="ended")) >= 2, "what is owed has been run")

    others = [
        run for run in rota.runs() if run["task_name"] != "usual"
    ]  # of which a tick may have come since
    assert [run for run in others if run["missed_ticks"] or run["triggered_by"] == "catch_up"] == []


def test_what_has_not_started_by_its_deadline_is_missed_though_the_server_was_killed_meanwhile(
    install: Callable[[str], Installed],
) -> None:
    rota = install(
        '[tasks.job]\nrun = "sleep 1000"\ncron = "* * * * * *"\nstart_deadline = "2s"\ngrace = "0s"\n'
    ).start()
    until_true(lambda: len(rota.runs(status="pending")) >= 2, "two ticks wait")
    waiting = {run["id"] for run in rota.runs(status="pending")}

    rota.kill()
    rota.start()

    for run_id in waiting:
        run = rota.until_ended(run_id)
        assert (run["end_reason"], run["missed_ticks"]) == ("missed", None)
        assert run["message"] == "it had not started within its start_deadline of 2s"
    assert len(rota.runs(status="running")) == 1


def test_jitter_spreads_the_starts_and_keeps_the_ticks(install: Callable[[str], Installed]) -> None:
    tables = [
        f'[tasks.job-{n}]\nrun = "true"\ncron = "*/2 * * * * *"\njitter = "1500ms"\n' for n in range(10)
    ]
    rota = install("".join(tables)).start()
    until_true(lambda: len(rota.runs(status="ended")) >= 20, "twenty runs have ended")

    runs = rota.runs(status="ended", end_reason="success")
    for run in runs:
        late = moment(run["due_at"]) - moment(run["scheduled_at"])
        assert timedelta() <= late < timedelta(milliseconds=1500)
        if run["triggered_by"] == "cron":
            assert moment(run["start_at"]) >= moment(run["due_at"]) - timedelta(milliseconds=5)
    assert len({moment(run["due_at"]).microsecond for run in runs}) > 5


def test_a_run_for_later_survives_kills_starts_then_and_can_be_cancelled(
    install: Callable[[str], Installed],
) -> None:
    rota = install('[tasks.job]\nrun = "echo $ROTA_SCHEDULED_AT"\n').start()
    started = rota.rota("run", "job", "--at", "4s", "--json")
    cancelled = rota.rota("run", "job", "--at", "+1h")
    assert (started.returncode, cancelled.returncode) == (0, 0)
    run = json.loads(started.stdout)
    assert (run["status"], run["triggered_by"]) == ("pending", "cli")
    listed = rota.rota("next")
    assert run["id"] in listed.stdout

    rota.kill()
    rota.start()
    assert rota.rota("stop", cancelled.stdout.strip()).returncode == 0
    ended = rota.until_ended(run["id"])

    assert ended["end_reason"] == "success"
    assert moment(ended["start_at"]) >= moment(ended["scheduled_at"]) - timedelta(milliseconds=5)
    assert rota.run(cancelled.stdout.strip())["end_reason"] == "stopped"


def test_a_run_on_start_comes_with_the_keeper_and_not_with_the_server(
    install: Callable[[str], Installed],
) -> None:
    rota = install(
        '[tasks.boot]\nrun = "sleep 1000"\ngrace = "0s"\nrun_on_start = true\non_overlap = "skip"\n'
    ).start()
    until_true(lambda: len(rota.runs(status="running")) == 1, "it runs")

    rota.kill()
    rota.start()
    assert rota.rota("status").returncode == 0
    assert len(rota.runs()) == 1

    keeper = rota.keeper()
    os.kill(keeper, signal.SIGKILL)
    until_gone(keeper)
    until_true(lambda: len(rota.runs(status="running")) == 1 and len(rota.runs()) == 2, "it runs anew")
    assert [(run["triggered_by"], run["end_reason"]) for run in rota.runs()] == [
        ("startup", None),
        ("startup", "lost"),
    ]


def test_a_calendar_takes_ticks_out_and_a_wrong_name_is_told(install: Callable[[str], Installed]) -> None:
    today = datetime.now(UTC).date()
    days = [(today + timedelta(days=days)).isoformat() for days in range(-1, 3)]
    config = f"""
[calendars.closed]
dates = {json.dumps(days)}
[tasks.open]
run = "true"
cron = "@daily"
except = "%s"
"""
    rota = install(config % "closed").start()
    refused = install(config % "close")

    items = json.loads(rota.rota("next", "--json").stdout)

    assert moment(items[0]["due_at"]).date() >= today + timedelta(days=3)
    told = refused.rota("validate", str(refused.config))
    assert told.returncode == 1
    assert "did you mean closed?" in told.stdout + told.stderr


def test_calendars_and_bounds_are_judged_by_the_clocks_of_the_tasks_zone(
    install: Callable[[str], Installed],
) -> None:
    first = datetime.now(UTC).date() + timedelta(days=40)
    last = first + timedelta(days=1)
    rota = install(
        f"""
[server]
timezone = "UTC"
[calendars.mondays]
weekdays = ["MON"]
[calendars.holidays]
holidays = ["DE-BY"]
[defaults]
timezone = "Asia/Tokyo"
[tasks.mondays]
run = "true"
cron = "0 3 * * *"
only = "mondays"
[tasks.bounded]
run = "true"
cron = "0 3 * * *"
not_before = "{first}"
not_after = "{last}"
[tasks.feasts]
run = "true"
cron = "0 12 * * *"
only = "holidays"
except = "mondays"
timezone = "Europe/Berlin"
"""
    ).start()

    def days(name: str, zone: str) -> list[date]:
        found = json.loads(rota.rota("why", name, "--json").stdout)["next"]
        return [moment(each["due_at"]).astimezone(ZoneInfo(zone)).date() for each in found]

    mondays = days("mondays", "Asia/Tokyo")
    assert len(mondays) == 10
    assert {day.weekday() for day in mondays} == {0}  # in UTC it is still Sunday
    assert days("bounded", "Asia/Tokyo") == [first, last]
    feasts, today = days("feasts", "Europe/Berlin"), datetime.now(UTC).date()
    known = country_holidays("DE", subdiv="BY", years=range(today.year, today.year + 3))
    expected = [day for day in sorted(known) if today < day and day.weekday() != 0]
    assert [day for day in feasts if day != today][:9] == expected[:9]


def test_why_tells_of_every_tick_and_of_what_comes_next(install: Callable[[str], Installed]) -> None:
    rota = install(
        '[tasks.job]\nrun = "sleep 3"\ncron = "* * * * * *"\non_overlap = "skip"\n'
        '[tasks.idle]\nrun = "true"\n'
    ).start()

    def told() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(rota.rota("why", "job", "--json").stdout)
        return found

    until_true(
        lambda: {"ran", "skipped"} <= {each["outcome"] for each in told()["last"]}, "it ran and skipped"
    )
    rota.kill()
    was_away(rota, hours=1)
    rota.start()
    until_true(lambda: "missed" in {each["outcome"] for each in told()["last"]}, "the gap is told")

    idle = rota.rota("why", "idle")
    why = rota.rota("why", "job")

    assert len(told()["next"]) == 10
    assert "the task was running, and on_overlap is skip" in why.stdout
    assert idle.stderr == "rota: it has no cron: it starts only when it is asked to\n"
