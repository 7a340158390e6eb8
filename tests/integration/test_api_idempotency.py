"""An idempotency key: one run, whatever is repeated, and the answer that the first request had."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from api_bed import api_of

from rota.model.event import EventKind
from rota.model.task import Overlap, Task

if TYPE_CHECKING:
    from pathlib import Path

RUN = "/api/tasks/job/run"
KEY = {"Idempotency-Key": "invoice-2026-11"}


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


async def test_a_repeated_key_starts_nothing_and_answers_the_run_as_it_now_stands(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        first = await api.tcp.post(RUN, headers=KEY)
        spawn = await api.bed.keeper.next_spawn()
        api.bed.keeper.end(spawn.run_id, 7)
        await api.bed.until(EventKind.RUN_ENDED)

        second = await api.tcp.post(RUN, headers=KEY)

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json()["id"] == second.json()["id"]
        assert (second.json()["status"], second.json()["exit_code"]) == ("ended", 7)
        assert second.headers["location"] == first.headers["location"]
        assert len(api.bed.keeper.spawns) == 1


async def test_a_repetition_may_wait_where_the_first_request_did_not(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        await api.tcp.post(RUN, headers=KEY)
        spawn = await api.bed.keeper.next_spawn()
        waiting = asyncio.create_task(api.tcp.post(f"{RUN}?wait=true&wait_timeout=60", headers=KEY))
        while not len(api.bed.engine._waiters):
            await asyncio.sleep(0)

        api.bed.keeper.end(spawn.run_id)

        assert (await waiting).json()["end_reason"] == "success"


async def test_requests_of_one_key_that_come_together_start_one_run(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(max_concurrent=50)) as api:
        answers = await asyncio.gather(*(api.tcp.post(RUN, headers=KEY) for _ in range(50)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len((await api.tcp.get("/api/runs")).json()["items"]) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"params":{}}', b' { "params" : { } } '])
async def test_what_a_body_means_is_compared_and_not_how_it_is_written(tmp_path: Path, body: bytes) -> None:
    async with api_of(tmp_path, task()) as api:
        first = await api.tcp.post(RUN, headers=KEY)

        second = await api.tcp.post(RUN, content=body, headers=KEY | {"Content-Type": "application/json"})

        assert second.json()["id"] == first.json()["id"]


async def test_a_key_that_comes_back_with_another_request_is_refused(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(), task("other")) as api:
        await api.tcp.post(RUN, headers=KEY)

        path = await api.tcp.post("/api/tasks/other/run", headers=KEY)
        body = await api.tcp.post(RUN, headers=KEY, json={"params": {"level": "high"}})

        assert {(each.status_code, each.json()["type"]) for each in (path, body)} == {
            (409, "/problems/key-reused")
        }


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"on_overlap": Overlap.SKIP}, 409), ({"max_queued": 0}, 429)],
    ids=["skip", "full"],
)
async def test_a_refusal_is_repeated_as_it_was(
    tmp_path: Path, fields: dict[str, object], status: int
) -> None:
    async with api_of(tmp_path, task(**fields)) as api:
        await api.tcp.post(RUN)
        spawn = await api.bed.keeper.next_spawn()
        refused = await api.tcp.post(RUN, headers=KEY)
        api.bed.keeper.end(spawn.run_id)
        await api.bed.until(EventKind.RUN_ENDED, spawn.run_id)

        again = await api.tcp.post(RUN, headers=KEY)

        assert (refused.status_code, again.status_code) == (status, status)
        assert again.json() == refused.json()
        assert len(api.bed.keeper.spawns) == 1


async def test_a_run_that_was_accepted_and_later_replaced_is_no_refusal(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as api:
        await api.tcp.post(RUN)
        accepted = await api.tcp.post(RUN, headers=KEY)
        await api.tcp.post(RUN)
        await api.bed.until(EventKind.RUN_ENDED, accepted.json()["id"])

        again = await api.tcp.post(RUN, headers=KEY)

        assert again.status_code == 201
        assert (again.json()["id"], again.json()["end_reason"]) == (accepted.json()["id"], "skipped")


async def test_the_key_is_known_after_a_restart(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        first = await api.tcp.post(RUN, headers=KEY)
        await api.bed.keeper.next_spawn()
    async with api_of(tmp_path, task()) as api:
        second = await api.tcp.post(RUN, headers=KEY)

        assert second.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
async def test_a_key_has_1_to_255_visible_characters(tmp_path: Path, key: str) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, headers={"Idempotency-Key": key.encode()})
        longest = await api.tcp.post(RUN, headers={"Idempotency-Key": "x" * 255})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["location"] == "header.Idempotency-Key"
        assert longest.status_code == 201


async def test_two_keys_in_one_request_are_a_fault(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(RUN, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])

        assert answer.status_code == 422
