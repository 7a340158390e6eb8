"""Counts the API: each word of the model, each error, each route and each status has its place in it."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rota.api import problems, refused, wire
from rota.api.app import VERBS
from rota.api.door import PUBLIC
from rota.api.openapi import openapi
from rota.api.problems import KIND_OF, KINDS, problem_of
from rota.api.route import OwnersRoute, Route
from rota.api.schemas import SHAPES, document
from rota.api.shapes import event, log, log_search, pause, run, task, tick
from rota.engine.timetable import Coming
from rota.engine.why import Outcome, TickFate
from rota.logs.line import Ansi, Line, Stream
from rota.logs.page import OpenLine
from rota.logs.searching import Stopped
from rota.model import error as errors
from rota.model.event import Event, EventKind
from rota.model.job import Job
from rota.model.limit import HeldBy, Limit
from rota.model.param import Param, ParamKind, ParamType
from rota.model.pause import Pause, PauseKind, Scope
from rota.model.run import (
    Actor,
    ActorKind,
    EndReason,
    HandOver,
    Kind,
    Run,
    RunId,
    Status,
    TriggeredBy,
    WaitingFor,
    WaitKind,
)
from rota.model.task import EnvBase, LogOnFull, Overlap, Stdin, Task
from rota.operations.list_tasks import TaskNow
from rota.operations.read_lines import LogLines
from rota.operations.search_logs import Match, Matches
from rota.operations.why import Why

ROUTES: list[Route] = [route for verb in VERBS for route in verb.routes]
DOCUMENT = openapi(ROUTES)
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NOON = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)
FULL = Run(
    id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"),
    kind=Kind.JOB,
    task_name="job",
    job=Job(
        command=("make", "test"),
        cwd="/srv",
        name="build",
        env=("TOKEN",),
        tags=("ci",),
        timeout=timedelta(seconds=9),
        stdin=Stdin.PIPE,
        pty=True,
    ),
    sealed="a secret",
    actor=Actor(kind=ActorKind.USER, name="ann"),
    waiting_for=WaitingFor(
        kind=WaitKind.TASK, name="job", run_ids=(RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3f"),)
    ),
    status=Status.ENDED,
    end_reason=EndReason.FAILED,
    is_failure=True,
    exit_code=2,
    signal="SIGKILL",
    triggered_by=TriggeredBy.CRON,
    params={"a": "1", "b": None},
    created_at=NOON,
    scheduled_at=NOON,
    due_at=NOON,
    missed_ticks=3,
    missed_since=NOON,
    start_at=NOON,
    end_at=NOON,
    duration=timedelta(seconds=1, microseconds=1),
    retry_of_run_id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3e"),
    rerun_of_run_id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"),
    next_attempt_run_id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c40"),
    upstream_run_id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c41"),
    instance_index=1,
    pid=7,
    cpu_time=timedelta(milliseconds=3),
    max_rss=1,
    limits={"cpu_max": Limit(max=0.5, held_by=HeldBy.CGROUP)},
    message="x",
    despite_pause="everything was paused",
    deleted_at=NOON,
    revision=2,
)
EMPTY = Run(id=FULL.id, task_name="job", triggered_by=TriggeredBy.API, created_at=NOON)

COMING = Coming(task_name="job", scheduled_at=NOON, due_at=NOON, run_id=FULL.id)
PAUSE = Pause(
    scope=Scope(kind=PauseKind.GROUP, name="backups"),
    reason="deploying",
    actor=Actor(kind=ActorKind.USER, name="olaf"),
    via=TriggeredBy.CLI,
    since=NOON,
)
FATE = TickFate(outcome=Outcome.RAN, count=2, first=NOON, last=NOON, run_id=FULL.id, message="ran")
WHY = Why(task_name="job", last=[FATE], next=[COMING], note=None, pauses=[PAUSE])

LINE = Line(n=1, at=NOON, stream=0, text="x", continued=False)
PAGE = LogLines(
    lines=[LINE, replace(LINE, match=True)],
    open=[OpenLine(at=1, stream=1, text="y")],
    first_available=3,
    total_lines=4,
    dropped_bytes=2,
    removed_at=NOON,
    finalized=True,
    stopped_early=False,
    next_cursor="x",
)
MATCHES = Matches(
    items=[Match(run=FULL, line=LINE)], next_cursor="x", stopped=Stopped.TIME, runs=1, bytes=1, reached=FULL
)

#: What of a run is the server's own: to whom it was given, and where.
INNER = {"hand_over", "node", "job", "sealed"}

#: What of a task is not said by its definition.
STANDING = {"pauses", "running", "pending", "next_ticks", "last_runs"}

PARAM = Param(
    kind=ParamKind.OPTION,
    name="--level",
    type=ParamType.INTEGER,
    default="2",
    choices=("1", "2"),
    allow_custom=True,
    pattern=".",
    min=1,
    max=9,
    description="x",
)


def test_every_field_of_a_run_is_in_its_schema_and_in_its_json() -> None:
    job = {field.name for field in fields(Job)}
    public = ({field.name for field in fields(Run)} | job) - INNER

    assert set(run.Run.as_json(FULL)) == public
    assert set(run.Run.model_fields) - {"schema_"} == public
    assert all(value is not None for value in run.Run.as_json(FULL).values())


def test_every_field_of_a_task_is_in_its_schema_and_in_its_json() -> None:
    said = {field.name.removesuffix("_") for field in fields(Task)}
    told = said - {"file_env"} | {"params_schema"} | STANDING

    assert set(task.Task.as_json(now(Task(name="job", run="true")))) == told
    assert {name.removesuffix("_") for name in task.Task.model_fields} - {"schema"} == told


def test_every_field_of_a_parameter_is_in_its_schema_and_in_its_json() -> None:
    told = {field.name for field in fields(Param)}

    assert set(task.Param.as_json(PARAM)) == told
    assert set(task.Param.model_fields) == told


def now(definition: Task) -> TaskNow:
    return TaskNow(task=definition, running=1, pending=0, next_ticks=[COMING], last_runs=[FULL, EMPTY])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Run", run.Run.as_json(FULL)),
        ("Run", run.Run.as_json(EMPTY)),
        ("Run", run.Run.as_json(replace(EMPTY, hand_over=HandOver(attempt="a", keeper_id="k", boot_id="b")))),
        (
            "Task",
            task.Task.as_json(now(Task(name="job", run=("a", "b"), cron=("@hourly",), timeout=timedelta(1)))),
        ),
        ("Task", task.Task.as_json(now(Task(name="job", run="true")))),
        ("Task", task.Task.as_json(now(Task(name="job", run="true", params=(PARAM,))))),
        ("RunPage", {"items": [run.Run.as_json(FULL)], "next_cursor": "x"}),
        ("Event", event.Event.as_json(Event(id=1, kind=EventKind.RUN_ENDED, at=NOON, run=FULL))),
        ("Event", event.Event.as_json(Event(id=2, kind=EventKind.STORE_FAILED, at=NOON, message="full"))),
        ("Why", tick.Why.as_json(WHY)),
        (
            "PauseState",
            pause.PauseState.as_json(PAUSE.scope, [PAUSE, replace(PAUSE, actor=None, reason=None)]),
        ),
        ("Why", tick.Why.as_json(replace(WHY, next=[replace(COMING, run_id=None)], note="it has no cron"))),
        ("NextTicks", {"items": [tick.NextTick.as_json(COMING)]}),
        ("LogPage", log.LogPage.as_json(PAGE)),
        ("LogPage", log.LogPage.as_json(replace(PAGE, open=None, removed_at=None, next_cursor=None))),
        ("LogMatches", log_search.LogMatches.as_json(MATCHES)),
        (
            "LogMatches",
            log_search.LogMatches.as_json(replace(MATCHES, stopped=None, reached=None, next_cursor=None)),
        ),
        ("Problem", problem_of(errors.RunEnded("r")).as_json()),
        (
            "Problem",
            problem_of(errors.Invalid([errors.Fault(location="a", message="b", value=[1])])).as_json(),
        ),
    ],
)
def test_what_is_written_is_what_its_schema_says(name: str, body: dict[str, Any]) -> None:
    written = wire.encode({"$schema": f"http://127.0.0.1:9477/schemas/{name}.json", **body})

    jsonschema_rs.validator_for(document(name), validate_formats=True).validate(json.loads(written))
    SHAPES[name].model_validate_json(written)


@pytest.mark.parametrize(
    "enum",
    [
        *(Kind, Status, EndReason, TriggeredBy, ActorKind, WaitKind, Stdin, HeldBy),
        *(EventKind, Overlap, LogOnFull, EnvBase, ParamKind, ParamType, Stream, Ansi, Stopped),
    ],
)
def test_every_member_of_every_enum_is_in_the_description(enum: type[StrEnum]) -> None:
    assert DOCUMENT["components"]["schemas"][enum.__name__]["enum"] == [str(each) for each in enum]


def test_every_error_of_the_model_is_a_problem_of_its_own_or_of_its_kind() -> None:
    tree = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.RotaError)
    ]
    inner = {errors.RotaError, errors.IllegalMove, errors.Unusable}  # no request can cause them

    for each in tree:
        kind = next(KIND_OF[base] for base in each.__mro__ if base in KIND_OF)
        assert (kind.status == 500) is (each in inner), each


def test_every_refusal_of_http_has_its_problem() -> None:
    refusals = [
        each
        for _, each in inspect.getmembers(refused, inspect.isclass)
        if issubclass(each, refused.ApiError) and each is not refused.ApiError
    ]

    assert refusals
    assert {each.problem for each in refusals} <= set(KINDS)
    assert all(400 <= KINDS[each.problem].status < 500 for each in refusals)


def test_every_problem_is_documented_where_it_can_come() -> None:
    nowhere = {"method-not-allowed"}  # it belongs to no operation
    told = " ".join(
        answer["description"] for _, _, operation in OPERATIONS for answer in operation["responses"].values()
    )

    assert {name for name in KINDS if f"`{name}`" not in told} <= nowhere | {"refused"}
    assert problems.KIND_OF[errors.Refused].name == "refused"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=lambda value: str(value)[:40])
def test_every_operation_says_what_can_come_of_it(path: str, method: str, operation: dict[str, Any]) -> None:
    statuses = set(operation["responses"])
    always = {"400", "403", "421", "422", "500", "503"} | (set() if path in PUBLIC else {"401"})

    assert always <= statuses
    assert ("401" in statuses) is (path not in PUBLIC)
    assert ({"413", "415"} <= statuses) is (method == "post")
    assert len([status for status in statuses if status.startswith("2")]) == 1 + ("206" in statuses)
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for status, answer in operation["responses"].items():
        [(media, content)] = answer["content"].items()
        assert content["schema"]
        assert (media == "application/problem+json") is (int(status) >= 400)
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter


def test_every_schema_has_a_name_of_its_own() -> None:
    # Of two models with one name, pydantic calls each by the path of its module.
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def test_only_the_sockets_own_route_and_the_apis_pages_about_itself_are_not_described() -> None:
    hidden = {route.path for route in ROUTES if not route.include_in_schema}

    assert hidden == {"/api/shutdown", "/openapi.json", "/docs", "/schemas/{name}.json"}
    assert {route.path for route in ROUTES if isinstance(route, OwnersRoute)} == {"/api/shutdown"}


def test_the_guide_names_every_route() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()

    assert [path for path, _, _ in OPERATIONS if path not in guide and not path.startswith("/problems")] == []
