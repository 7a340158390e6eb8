"""Chaining: what an end may begin, and which ends begin nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest

from rota.engine.chaining import chained
from rota.model.param import Param, ParamKind, ParamType
from rota.model.run import Ending, EndReason, Run, RunId, TriggeredBy
from rota.model.task import Task

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOAD = Task(name="load", run="true", after=("extract", "clean"))
PAGE = Task(name="page", run="true", after_failure=("extract",))
BOTH = Task(name="both", run="true", after=("extract",), after_failure=("extract",))


def ended(reason: EndReason, **fields: object) -> Run:
    run = Run(id=RunId("up"), task_name="extract", triggered_by=TriggeredBy.API, created_at=NOON)
    return run.ended(reason, Ending(end_at=NOON), **fields)  # type: ignore[arg-type]


def begun(run: Run, *after: Task) -> list[tuple[str | None, frozenset[str]]]:
    numbers = count()
    found = chained(run, after, run_id=lambda: RunId(str(next(numbers))), now=NOON)
    return [(each.run.task_name, each.others) for each in found]


def test_a_success_begins_what_comes_after_once_the_others_have_ended_well_too() -> None:
    assert begun(ended(EndReason.SUCCESS), LOAD, PAGE, BOTH) == [
        ("load", frozenset({"clean"})),
        ("both", frozenset()),
    ]


def test_a_failure_for_good_begins_what_comes_after_it() -> None:
    assert begun(ended(EndReason.FAILED), LOAD, PAGE, BOTH) == [("page", frozenset()), ("both", frozenset())]


def test_a_failure_that_is_tried_again_begins_nothing() -> None:
    retry = Run(id=RunId("next"), task_name="extract", triggered_by=TriggeredBy.RETRY, created_at=NOON)

    assert begun(ended(EndReason.FAILED).followed_by(retry), LOAD, PAGE, BOTH) == []


@pytest.mark.parametrize("reason", [EndReason.SKIPPED, EndReason.QUEUE_FULL, EndReason.MISSED])
def test_a_run_that_was_never_begun_begins_nothing_though_it_is_a_failure(reason: EndReason) -> None:
    assert begun(ended(reason, failures=frozenset(EndReason)), LOAD, PAGE, BOTH) == []


def test_a_stop_is_neither_unless_the_task_calls_it_a_failure() -> None:
    assert begun(ended(EndReason.STOPPED), LOAD, PAGE, BOTH) == []
    assert begun(ended(EndReason.STOPPED, failures={EndReason.STOPPED}), PAGE) == [("page", frozenset())]


def test_a_task_that_is_not_enabled_comes_after_nothing() -> None:
    off = Task(name="off", run="true", after=("extract",), enabled=False)

    assert begun(ended(EndReason.SUCCESS), off) == []


def test_the_run_names_its_upstream_and_has_the_defaults_of_its_task() -> None:
    params = (Param(name="LEVEL", kind=ParamKind.ENV, type=ParamType.STRING, default="low"),)
    task = Task(name="load", run="true", after=("extract",), params=params)

    (found,) = chained(ended(EndReason.SUCCESS), [task], run_id=lambda: RunId("new"), now=NOON)

    assert found.run == Run(
        id=RunId("new"),
        task_name="load",
        triggered_by=TriggeredBy.UPSTREAM,
        params={"LEVEL": "low"},
        created_at=NOON,
        upstream_run_id=RunId("up"),
    )
