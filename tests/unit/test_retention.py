"""What is kept, as a function of the history and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rota.engine.retention import expired, pause, surplus
from rota.model.run import Ending, EndReason, Run, RunId, TriggeredBy
from rota.model.task import Task

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ended(number: int, *, age: int, tick: bool = False) -> Run:
    at = NOON - timedelta(seconds=age)
    run = Run(
        id=RunId(f"{number:036}"), task_name="a", created_at=at,
        triggered_by=TriggeredBy.CRON if tick else TriggeredBy.API,
        scheduled_at=at if tick else None,
    )  # fmt: skip
    return run.ended(EndReason.SKIPPED, Ending(end_at=at))


def going(
    task: Task, runs: list[Run], *, total: int | None = None, horizon: datetime | None = NOON
) -> list[int]:
    gone = expired(task, runs, ended=len(runs) if total is None else total, now=NOON, horizon=horizon)
    return [int(run.id) for run in gone]


RUNS = [ended(number, age=100 - 10 * number) for number in range(5)]  # of 100 s to 60 s


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ({}, []),
        ({"keep_runs": 5}, []),
        ({"keep_runs": 3}, [0, 1]),
        ({"keep_for": timedelta(seconds=80)}, [0, 1, 2]),
        ({"keep_for": timedelta(seconds=101)}, []),
        ({"keep_runs": 4, "keep_for": timedelta(seconds=90)}, [0, 1]),
        ({"keep_runs": 1, "keep_for": timedelta(days=1)}, [0, 1, 2, 3]),
    ],
)
def test_the_oldest_go_as_soon_as_either_rule_says_so(rules: dict[str, object], gone: list[int]) -> None:
    assert going(Task(name="a", run="true", **rules), RUNS) == gone


def test_of_a_part_of_the_history_only_as_many_go_as_are_too_many() -> None:
    assert going(Task(name="a", run="true", keep_runs=100), RUNS, total=102) == [0, 1]


def test_the_attempts_of_what_is_still_retried_stay_and_others_go() -> None:
    attempts = [replace(run, retry_of_run_id=RUNS[0].id, retry_attempt=1) for run in RUNS[1:3]]
    runs = [RUNS[0], *attempts, *RUNS[3:]]
    task = Task(name="a", run="true", keep_runs=1)

    gone = expired(task, runs, ended=5, now=NOON, horizon=NOON, retried={RUNS[0].id})

    assert gone == [RUNS[3]]
    assert going(task, runs) == [0, 1, 2, 3]


def test_a_run_that_claims_no_tick_waits_for_no_horizon() -> None:
    asked_for = replace(ended(0, age=10, tick=True), triggered_by=TriggeredBy.RETRY)

    assert going(Task(name="a", run="true", keep_for=timedelta(seconds=5)), [asked_for], horizon=None) == [0]


def test_a_long_run_that_ended_late_does_not_hold_back_those_after_it() -> None:
    runs = [ended(0, age=1), ended(1, age=100)]

    assert going(Task(name="a", run="true", keep_for=timedelta(seconds=50)), runs) == [1]


@pytest.mark.parametrize(
    ("horizon", "gone"), [(None, []), (NOON - timedelta(seconds=95), [0]), (NOON, [0, 1])]
)
def test_a_tick_beyond_the_saved_horizon_keeps_its_run(horizon: datetime | None, gone: list[int]) -> None:
    runs = [ended(0, age=100, tick=True), ended(1, age=90, tick=True), ended(2, age=80, tick=True)]

    assert going(Task(name="a", run="true", keep_runs=1), runs, horizon=horizon) == gone


def test_logs_go_from_the_oldest_on_until_all_are_small_enough() -> None:
    logs = [(RunId(str(number)), 100) for number in range(10)]

    assert surplus(logs, total=1000, max_size=2000) == []
    assert surplus(logs, total=1000, max_size=800) == ["0", "1", "2"]  # with a little to spare
    assert surplus(logs, total=5000, max_size=100) == [str(number) for number in range(10)]


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        ({}, None),
        ({"keep_runs": 1}, 3600),
        ({"keep_for": timedelta(seconds=2)}, 1),
        ({"keep_for": timedelta(days=30)}, 3600),
    ],
)
def test_a_task_is_looked_at_as_often_as_its_runs_are_short_lived(
    rules: dict[str, object], seconds: int | None
) -> None:
    wait = pause(Task(name="a", run="true", **rules))

    assert (wait.total_seconds() if wait else None) == seconds
