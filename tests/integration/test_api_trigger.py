"""Each row of the trigger's table: what is asked, and what comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from api_bed import URL, Conversation, api_of
from engine_bed import settle

from rota.model.event import EventKind
from rota.model.task import Overlap, Task

if TYPE_CHECKING:
    from pathlib import Path

RUN = "/api/tasks/job/run"


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


async def test_a_plain_trigger_is_answered_with_the_run_and_its_address(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN)

        run = answer.json()
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["location"] == f"/api/runs/{run['id']}"
        assert answer.headers["link"] == '</schemas/Run.json>; rel="describedBy"'
        assert run["$schema"] == f"{URL}/schemas/Run.json"
        assert (run["task_name"], run["status"], run["triggered_by"]) == ("job", "pending", "api")
        assert run["created_at"] == "2026-03-02T12:00:00.000000Z"
        assert (run["exit_code"], run["end_reason"], run["pid"], run["params"]) == (None, None, None, {})


@pytest.mark.parametrize(
    ("exit_code", "end_reason"), [(0, "success"), (3, "failed")], ids=["success", "failure"]
)
async def test_wait_answers_the_ended_run_however_it_went(
    tmp_path: Path, exit_code: int, end_reason: str
) -> None:
    async with api_of(tmp_path, task()) as api:
        asked = asyncio.create_task(api.tcp.post(f"{RUN}?wait=true"))
        spawn = await api.bed.keeper.next_spawn()
        api.bed.keeper.end(spawn.run_id, exit_code)

        answer = await asked

        run = answer.json()
        assert answer.status_code == 201
        assert (run["status"], run["end_reason"], run["exit_code"]) == ("ended", end_reason, exit_code)
        assert run["duration"] == 1.0


async def test_a_wait_that_times_out_answers_the_run_as_it_stands_and_it_goes_on(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(f"{RUN}?wait=true&wait_timeout=1")

        assert answer.status_code == 201
        assert answer.json()["status"] == "running"
        assert list(api.bed.keeper.running) == [answer.json()["id"]]
        assert api.bed.keeper.stops == []


async def test_a_client_that_goes_away_leaves_the_run_going_and_no_waiter_behind(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        conversation = Conversation(api.app, "POST", f"{RUN}?wait=true")
        spawn = await api.bed.keeper.next_spawn()
        await api.bed.until(EventKind.RUN_STARTED, spawn.run_id)
        assert len(api.bed.engine._waiters) == 1

        conversation.hang_up()
        await conversation.over()

        assert len(api.bed.engine._waiters) == 0
        assert spawn.run_id in api.bed.keeper.running
        assert api.bed.keeper.stops == []
        api.bed.keeper.end(spawn.run_id)
        ended = await api.bed.until(EventKind.RUN_ENDED, spawn.run_id)
        assert ended.run is not None
        assert ended.run.exit_code == 0


async def test_a_server_that_stops_answers_its_waiters_with_the_run_as_it_stands(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        asked = asyncio.create_task(api.tcp.post(f"{RUN}?wait=true"))
        spawn = await api.bed.keeper.next_spawn()
        await api.bed.until(EventKind.RUN_STARTED, spawn.run_id)

        await api.bed.engine.stop()

        answer = await asked
        assert (answer.status_code, answer.json()["status"]) == (201, "running")
        assert spawn.run_id in api.bed.keeper.running


async def test_two_thousand_wait_at_once(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(max_concurrent=2000)) as api:
        conversations = [Conversation(api.app, "POST", f"{RUN}?wait=true") for _ in range(2000)]
        spawns = [await api.bed.keeper.next_spawn() for _ in conversations]
        while len(api.bed.engine._waiters) < 2000:
            await settle()

        for spawn in spawns:
            api.bed.keeper.end(spawn.run_id)

        for conversation in conversations:
            assert (await conversation.start())["status"] == 201
            await conversation.over()
        assert len(api.bed.engine._waiters) == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"params": {}}', b'{"$schema": "x"}'])
async def test_a_body_without_parameters_may_be_written_in_any_way(tmp_path: Path, body: bytes) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 201


async def test_parameters_that_the_task_does_not_declare_are_each_named(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, json={"params": {"level": "high", "dry": None}})

        assert answer.status_code == 422
        assert [fault["location"] for fault in answer.json()["errors"]] == [
            "body.params.level",
            "body.params.dry",
        ]
        assert api.bed.keeper.spawns == []


async def test_every_fault_of_a_request_is_named_at_once(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(
            "/api/tasks/no name/run?waitTimeout=5&wait=maybe&wait_timeout=0&wait=true",
            json={"params": {"level": 7}, "force": True},
            headers={"Idempotency-Key": "with space"},
        )

        problem = answer.json()
        faults = {fault["location"]: fault["message"] for fault in problem["errors"]}
        assert answer.status_code == 422
        assert set(faults) == {
            "path.task_name",
            "query.wait",
            "query.wait_timeout",
            "query.waitTimeout",
            "header.Idempotency-Key",
            "body.force",
        }
        assert faults["query.waitTimeout"] == "there is no such query parameter; did you mean wait_timeout?"
        assert len(problem["errors"]) == 7  # `wait` is wrong, and given twice
        assert all(location in problem["detail"] for location in faults)


@pytest.mark.parametrize(
    "query",
    [
        "wait=1",
        "wait=",
        "wait=True",
        "wait_timeout=0",
        "wait_timeout=3601",
        "wait_timeout=1.5",
        "wait_timeout=1_0",
    ],
)
async def test_a_query_is_taken_as_it_is_documented_and_not_otherwise(tmp_path: Path, query: str) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(f"{RUN}?{query}")

        assert answer.status_code == 422
        assert api.bed.keeper.spawns == []


async def test_an_unknown_task_is_not_found_and_the_nearest_is_named(tmp_path: Path) -> None:
    async with api_of(tmp_path, task("backup")) as api:
        answer = await api.tcp.post("/api/tasks/bakcup/run")

        assert answer.status_code == 404
        assert "did you mean 'backup'" in answer.json()["detail"]


async def test_a_task_without_manual_trigger_is_refused(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(manual_trigger=False)) as api:
        answer = await api.tcp.post(RUN)

        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/manual-trigger-off")


@pytest.mark.parametrize("body", [b"{", b"[1,", b"nul", b'{"params": {"a": "\xff"}}', b"{'params': {}}"])
async def test_a_body_that_is_not_json_is_malformed(tmp_path: Path, body: bytes) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, content=body, headers={"Content-Type": "application/json"})

        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-request")


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b'{"params": null}', b'{"params": []}'])
async def test_a_body_of_another_form_has_faults(tmp_path: Path, body: bytes) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["location"].startswith("body")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {},
    ],
)
async def test_a_body_of_another_type_is_not_read(tmp_path: Path, headers: dict[str, str]) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, content=b"{}", headers=headers)

        assert answer.status_code == 415
        assert answer.headers["accept-post"] == "application/json"


async def test_a_body_over_a_mebibyte_is_too_large_with_and_without_a_length(tmp_path: Path) -> None:
    async def pieces():
        for _ in range(17):
            yield b" " * (1 << 16)

    async with api_of(tmp_path, task()) as api:
        headers = {"Content-Type": "application/json"}

        told = await api.tcp.post(RUN, content=b" " * ((1 << 20) + 1), headers=headers)
        counted = await api.tcp.post(RUN, content=pieces(), headers=headers)
        largest = await api.tcp.post(RUN, content=b"{}" + b" " * ((1 << 20) - 2), headers=headers)

        assert (told.status_code, counted.status_code, largest.status_code) == (413, 413, 201)


async def test_skip_answers_409_with_the_run_that_says_so(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(on_overlap=Overlap.SKIP)) as api:
        await api.tcp.post(RUN)

        answer = await api.tcp.post(f"{RUN}?wait=true")

        problem = answer.json()
        recorded = (await api.tcp.get(f"/api/runs/{problem['run_id']}")).json()
        assert (answer.status_code, problem["type"]) == (409, "/problems/run-skipped")
        assert (recorded["status"], recorded["end_reason"]) == ("ended", "skipped")


async def test_a_full_queue_answers_429_with_the_run_that_says_so(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(max_queued=0)) as api:
        await api.tcp.post(RUN)

        answer = await api.tcp.post(RUN)

        problem = answer.json()
        recorded = (await api.tcp.get(f"/api/runs/{problem['run_id']}")).json()
        assert (answer.status_code, problem["type"]) == (429, "/problems/queue-full")
        assert problem["detail"] == "the task was running, and as many waited as may (max_queued = 0)"
        assert recorded["end_reason"] == "queue_full"


async def test_a_store_that_cannot_write_answers_503_and_nothing_was_changed(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        api.bed.store.broken = True

        answer = await api.tcp.post(RUN, headers={"Idempotency-Key": "k"})

        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-unavailable")
        assert answer.headers["retry-after"] == "5"
        assert api.bed.keeper.spawns == []
        assert (await api.tcp.get("/api/runs")).json()["items"] == []


async def test_a_fault_of_our_own_is_a_problem_that_tells_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_of(tmp_path, task()) as api:

        async def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("a secret")

        monkeypatch.setattr(api.bed.engine.triggering, "trigger", broken)

        answer = await api.tcp.post(RUN)

        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
        assert "secret" not in answer.text


async def test_the_owner_may_say_which_front_end_asks_and_nobody_else(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(max_queued=10)) as api:
        said = {"Rota-Triggered-By": "cli"}

        by_socket = await api.socket.post(RUN, headers=said)
        unsaid = await api.socket.post(RUN)
        by_tcp = await api.tcp.post(RUN, headers=said)
        wrong = await api.socket.post(RUN, headers={"Rota-Triggered-By": "cron"})

        assert [each.json().get("triggered_by") for each in (by_socket, unsaid, by_tcp)] == [
            "cli",
            "api",
            "api",
        ]
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["location"] == "header.Rota-Triggered-By"


async def test_a_run_for_later_is_pending_until_then_and_its_key_finds_it_again(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        at = "2066-03-02T13:00:00+01:00"
        key = {"Idempotency-Key": "one"}

        first = await api.tcp.post(RUN, json={"at": at}, headers=key)
        again = await api.tcp.post(RUN, json={"at": "2066-03-02T12:00:00Z"}, headers=key)
        other = await api.tcp.post(RUN, json={"at": "2066-03-02T12:00:01Z"}, headers=key)

        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
        run = first.json()
        assert run["id"] == again.json()["id"]
        assert (run["status"], run["scheduled_at"], run["due_at"]) == (
            "pending", "2066-03-02T12:00:00.000000Z", "2066-03-02T12:00:00.000000Z",
        )  # fmt: skip


@pytest.mark.parametrize(
    "at",
    [
        "2066-03-02T12:00:00",
        "2001-01-01T00:00:00Z",
        "2126-03-02T12:00:00Z",
        "9999-12-31T23:59:59-23:00",  # of a year that UTC does not have
        "tomorrow",
        5,
    ],
)
async def test_a_time_that_is_none_or_over_or_a_century_ahead_is_a_fault(tmp_path: Path, at: object) -> None:
    async with api_of(tmp_path, task()) as api:
        told = await api.tcp.post(RUN, json={"at": at})

        assert told.status_code == 422
        assert [fault["location"] for fault in told.json()["errors"]] == ["body.at"]
