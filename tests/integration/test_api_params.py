"""Parameters over REST: what a trigger gives, what the run gets, and every fault at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from api_bed import api_of

from rota.model.event import EventKind
from rota.model.param import Param, ParamKind, ParamType
from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path

RUN = "/api/tasks/job/run"
LEVEL = Param(
    kind=ParamKind.ENV, name="LEVEL", type=ParamType.ENUM, choices=("low", "high", ""), default="low"
)
WHO = Param(kind=ParamKind.ARG, name="who", required=True)
COUNT = Param(kind=ParamKind.OPTION, name="--count", type=ParamType.INTEGER, min=1)
DRY = Param(kind=ParamKind.FLAG, name="--dry", type=ParamType.BOOLEAN, default="false")
JOB = Task(name="job", run=("deploy",), params=(LEVEL, WHO, COUNT, DRY), max_concurrent=100)


@pytest.mark.parametrize(
    ("given", "kept", "argv", "level"),
    [
        ({"who": "me"}, {"LEVEL": "low", "who": "me", "--dry": "false"}, ["me"], "low"),
        (
            {"who": "a; b", "--count": 3, "--dry": True, "LEVEL": "high"},
            {"LEVEL": "high", "who": "a; b", "--count": "3", "--dry": "true"},
            ["a; b", "--count", "3", "--dry"],
            "high",
        ),
        (
            {"who": "", "LEVEL": None, "--count": None, "--dry": None},
            {"LEVEL": None, "who": "", "--count": None, "--dry": "false"},
            [""],
            None,
        ),
        ({"who": "me", "LEVEL": ""}, {"LEVEL": "", "who": "me", "--dry": "false"}, ["me"], ""),
    ],
)
async def test_what_is_given_reaches_the_program_and_is_kept_on_the_run(
    tmp_path: Path, given: dict[str, object], kept: dict[str, object], argv: list[str], level: str | None
) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.post(RUN, json={"params": given})

        spawn = await api.bed.keeper.next_spawn()
        assert answer.status_code == 201
        assert answer.json()["params"] == kept
        assert (await api.tcp.get(f"/api/runs/{spawn.run_id}")).json()["params"] == kept
        assert list(spawn.argv) == ["deploy", *argv]
        assert spawn.env.get("LEVEL") == level


async def test_faults_of_parameters_are_told_together_with_those_of_query_headers_and_body(
    tmp_path: Path,
) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.post(
            f"{RUN}?wiat=true",
            json={"params": {"LEVEL": "mid", "--cuont": 1, "--count": 0, "--dry": {}}, "force": True},
            headers={"Idempotency-Key": "with space"},
        )

        problem = answer.json()
        assert answer.status_code == 422
        assert {fault["location"]: fault["value"] for fault in problem["errors"]} == {
            "query.wiat": "true",
            "header.Idempotency-Key": "with space",
            "body.force": True,
            "body.params.LEVEL": "mid",
            "body.params.--cuont": 1,
            "body.params.who": None,
            "body.params.--count": 0,
            "body.params.--dry": {},
        }
        assert all(fault["location"] in problem["detail"] for fault in problem["errors"])
        assert api.bed.keeper.spawns == []


async def test_a_time_that_is_over_and_a_front_end_that_is_none_are_told_with_every_other_fault(
    tmp_path: Path,
) -> None:
    body = {"params": {"who": "me", "LEVEL": "mid"}, "at": "2020-01-01T00:00:00Z"}
    said = {"Rota-Triggered-By": "cron"}
    async with api_of(tmp_path, JOB) as api:
        for query, force, also in (
            ("", {}, []),
            ("?wiat=1", {}, ["query.wiat"]),
            ("", {"force": 1}, ["body.force"]),
            ("?wiat=1", {"force": 1}, ["body.force", "query.wiat"]),
        ):
            by_tcp = await api.tcp.post(RUN + query, json=body | force, headers=said)
            by_socket = await api.socket.post(RUN + query, json=body | force, headers=said)

            told = [
                sorted(fault["location"] for fault in each.json()["errors"]) for each in (by_tcp, by_socket)
            ]
            assert told[0] == sorted(["body.at", "body.params.LEVEL", *also])
            assert told[1] == sorted([*told[0], "header.Rota-Triggered-By"])


@pytest.mark.parametrize("body", [{"params": "swordfish"}, {"who": "swordfish"}, ["swordfish"], "swordfish"])
async def test_what_may_be_a_secret_in_the_wrong_place_is_not_said_again(
    tmp_path: Path, body: object
) -> None:
    async with api_of(tmp_path, JOB) as api:
        answer = await api.tcp.post(RUN, json=body)

        assert answer.status_code == 422
        assert "swordfish" not in answer.text


@pytest.mark.parametrize("body", [b"{}", b"", b'{"params": {}}'])
async def test_a_required_one_that_is_missing_is_told_also_with_other_faults(
    tmp_path: Path, body: bytes
) -> None:
    async with api_of(tmp_path, JOB) as api:
        for path, also in ((RUN, []), (f"{RUN}?wiat=1", ["query.wiat"])):
            answer = await api.tcp.post(path, content=body, headers={"Content-Type": "application/json"})

            assert answer.status_code == 422
            assert [fault["location"] for fault in answer.json()["errors"]] == [*also, "body.params.who"]


async def test_a_task_shows_what_it_declares_and_its_schema(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        shown = (await api.tcp.get("/api/tasks/job")).json()
        listed = (await api.tcp.get("/api/tasks")).json()["items"][0]

        assert shown["params_schema"] == listed["params_schema"]
        assert [(each["name"], each["kind"]) for each in shown["params"]] == [
            ("LEVEL", "env"),
            ("who", "arg"),
            ("--count", "option"),
            ("--dry", "flag"),
        ]
        accepts = jsonschema_rs.validator_for(shown["params_schema"]).is_valid
        assert accepts({"who": "me", "--count": 1})
        assert not accepts({"--count": 0})


async def test_a_key_of_idempotency_belongs_to_the_values_that_were_given(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        headers = {"Idempotency-Key": "k"}

        first = await api.tcp.post(RUN, json={"params": {"who": "me"}}, headers=headers)
        again = await api.tcp.post(RUN, json={"params": {"who": "me"}}, headers=headers)
        other = await api.tcp.post(RUN, json={"params": {"who": "you"}}, headers=headers)

        assert first.json()["id"] == again.json()["id"]
        assert (other.status_code, other.json()["type"]) == (409, "/problems/key-reused")


async def test_a_tick_gets_the_defaults(tmp_path: Path) -> None:
    due = Task(name="due", run=("x",), params=(LEVEL, COUNT, DRY), cron=("* * * * * *",))
    async with api_of(tmp_path, due) as api:
        ticking = asyncio.create_task(api.bed.tick())
        spawn = await api.bed.keeper.next_spawn()
        await ticking

        created = await api.bed.until(EventKind.RUN_CREATED, spawn.run_id)
        assert created.run is not None
        assert created.run.params == {"LEVEL": "low", "--dry": "false"}
        assert spawn.env["LEVEL"] == "low"


async def test_values_survive_in_the_queue_and_over_a_restart(tmp_path: Path) -> None:
    one = Task(name="job", run=("deploy",), params=(WHO,))
    async with api_of(tmp_path, one) as api:
        await api.tcp.post(RUN, json={"params": {"who": "first"}})
        await api.tcp.post(RUN, json={"params": {"who": "second"}})
        first = await api.bed.keeper.next_spawn()
        await api.bed.until(EventKind.RUN_STARTED, first.run_id)

        await api.bed.restart()
        api.bed.keeper.end(first.run_id)

        second = await api.bed.keeper.next_spawn()
        assert list(second.argv) == ["deploy", "second"]
