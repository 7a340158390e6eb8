"""What a failed run is said to suffer from, by what is known of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from rota.model.run import Ending, EndReason, Run, RunId, TriggeredBy
from rota.model.task import Task
from rota.operations.diagnose_run import ERROR, differences, suggestions

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ended(
    reason: EndReason, *, seconds: float = 1, by: TriggeredBy = TriggeredBy.CRON, **facts: object
) -> Run:
    run = Run(id=RunId("a"), task_name="job", triggered_by=by, created_at=NOON).started(at=NOON, pid=7)
    return run.ended(reason, Ending(end_at=NOON, duration=timedelta(seconds=seconds), **facts))  # type: ignore[arg-type]


GOOD = ended(EndReason.SUCCESS, exit_code=0, max_rss=10_000_000)


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_suggests_something(reason: EndReason) -> None:
    assert suggestions(ended(reason), None, [], GOOD)


@pytest.mark.parametrize(
    ("run", "errors", "said"),
    [
        (ended(EndReason.FAILED, exit_code=127), [], "exit code 127 says: the command was not found"),
        (ended(EndReason.FAILED, signal="SIGKILL"), [], "want of memory"),
        (
            ended(EndReason.FAILED, exit_code=1),
            ["bind: Address already in use"],
            "another process has the port",
        ),
        (ended(EndReason.FAILED, exit_code=1), [], "its log names no error"),
    ],
)
def test_codes_signals_and_lines_have_their_meaning(run: Run, errors: list[str], said: str) -> None:
    assert any(said in each for each in suggestions(run, None, errors, GOOD))


def test_a_timeout_names_the_limit() -> None:
    task = Task(name="job", run="true", timeout=timedelta(minutes=5))

    assert "its timeout is 5m" in suggestions(ended(EndReason.TIMEOUT), task, [], GOOD)


def test_what_never_worked_may_be_written_wrong() -> None:
    assert any(
        "never succeeded" in each
        for each in suggestions(ended(EndReason.FAILED, exit_code=1), None, ["x"], None)
    )


def test_only_what_differs_is_told() -> None:
    bad = ended(EndReason.FAILED, exit_code=1, seconds=60, by=TriggeredBy.MCP, max_rss=90_000_000)

    assert differences(GOOD, GOOD) == []
    assert len(differences(bad, GOOD)) == 4


@pytest.mark.parametrize(
    "line",
    [
        "ERROR: x",
        "ValueError: y",
        "panic: z",
        "ls: cannot access 'q'",
        "make: *** No such file",
        "3 tests failed",
    ],
)
def test_lines_of_errors_are_known_by_their_words(line: str) -> None:
    assert re.search(ERROR, line, re.IGNORECASE)


@pytest.mark.parametrize("line", ["all is well", "terrorism", "0 warnings", "compiled"])
def test_other_lines_are_left_alone(line: str) -> None:
    assert not re.search(ERROR, line, re.IGNORECASE)
