"""Rerun, delete and restore of one run and of many, and stops of many, over the API."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import Api, api_of
from engine_bed import NOON, settle
from sample_runs import run_id

from rota.model.event import EventKind
from rota.model.param import Param, ParamKind, ParamType
from rota.model.secret import Secret
from rota.model.task import Overlap, Task
from rota.operations import bulk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = Param(kind=ParamKind.ENV, name="TOKEN", type=ParamType.SECRET)
KEY = Param(kind=ParamKind.ENV, name="KEY", type=ParamType.SECRET, default=Secret("of the file"))
WHO = Param(kind=ParamKind.ENV, name="WHO", type=ParamType.STRING, default="all")
TASKS = (
    Task(name="plain", run="true", params=(WHO,), max_concurrent=4),
    Task(name="secret", run="true", params=(TOKEN, KEY)),
    Task(name="small", run="true", max_queued=1),
    Task(name="skips", run="true", on_overlap=Overlap.SKIP),
    Task(name="ticks", run="true", cron=("* * * * *",), catch_up=0),
)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_of(tmp_path, *TASKS) as api:
        yield api


async def start(api: Api, task: str, **params: object) -> str:
    answer = await api.tcp.post(f"/api/tasks/{task}/run", json={"params": params})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def end(api: Api, run: str, exit_code: int = 0) -> str:
    await api.bed.keeper.next_spawn()
    api.bed.keeper.end(run, exit_code=exit_code)
    await api.bed.until(EventKind.RUN_ENDED, run)  # type: ignore[arg-type]
    return run


async def over(api: Api, task: str, **params: object) -> str:
    return await end(api, await start(api, task, **params))


async def ask(api: Api, verb: str, **body: Any) -> dict[str, Any]:
    answer = await api.tcp.post(f"/api/runs/bulk/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(outcome: dict[str, Any]) -> tuple[int, int, int]:
    return outcome["matched"], outcome["done"], outcome["refused"]


def problems(outcome: dict[str, Any]) -> dict[str, str]:
    return {fault["run_id"]: fault["type"].rpartition("/")[2] for fault in outcome["faults"]}


# --- one run


async def test_a_rerun_has_the_parameters_of_the_run_before_and_names_it(api: Api) -> None:
    run = await over(api, "plain", WHO="ann")

    answer = await api.tcp.post(f"/api/runs/{run[-8:]}/rerun")

    again = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/runs/{again['id']}"
    assert (again["params"], again["rerun_of_run_id"]) == ({"WHO": "ann"}, run)
    assert (again["triggered_by"], again["id"] != run) == ("api", True)


async def test_a_rerun_can_be_given_other_parameters(api: Api) -> None:
    run = await over(api, "plain", WHO="ann")

    answer = await api.tcp.post(f"/api/runs/{run}/rerun", json={"params": {"WHO": "bob"}})

    assert answer.json()["params"] == {"WHO": "bob"}


async def test_a_rerun_asks_again_for_a_secret_and_takes_one_with_a_default_from_the_file(api: Api) -> None:
    run = await over(api, "secret", TOKEN="hunter2")

    refused = await api.tcp.post(f"/api/runs/{run}/rerun")
    again = await api.tcp.post(f"/api/runs/{run}/rerun", json={"params": {"TOKEN": "hunter3"}})

    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert fault["location"] == "body.params.TOKEN"
    assert "give it again" in fault["message"]
    spawn = await api.bed.keeper.next_spawn()
    assert again.status_code == 201
    assert (spawn.env["TOKEN"], spawn.env["KEY"]) == ("hunter3", "of the file")


async def test_a_run_without_its_secret_is_run_again_without_it(api: Api) -> None:
    run = await over(api, "secret")

    assert (await api.tcp.post(f"/api/runs/{run}/rerun")).status_code == 201


async def test_a_job_is_run_again_once_its_variables_are_given_again(api: Api) -> None:
    body = {"command": ["make"], "name": "build", "tags": ["ci"], "cwd": "/", "env": {"A": "1", "B": "2"}}
    job = (await api.tcp.post("/api/jobs", json=body)).json()
    await end(api, job["id"])

    refused = await api.tcp.post(f"/api/runs/{job['id']}/rerun", json={"env": {"A": "3"}})
    again = (await api.tcp.post(f"/api/runs/{job['id']}/rerun", json={"env": {"A": "3", "B": "4"}})).json()

    assert [fault["location"] for fault in refused.json()["errors"]] == ["body.env.B"]
    spawn = await api.bed.keeper.next_spawn()
    assert (spawn.env["A"], spawn.env["B"]) == ("3", "4")
    assert job["env"] == again["env"] == ["A", "B"]
    assert (again["command"], again["name"], again["tags"]) == (["make"], "build", ["ci"])


async def test_a_rerun_with_a_key_starts_once(api: Api) -> None:
    run = await over(api, "plain")
    headers = {"Idempotency-Key": "once"}

    first = await api.tcp.post(f"/api/runs/{run}/rerun", headers=headers)
    second = await api.tcp.post(f"/api/runs/{run}/rerun", headers=headers)
    other = await api.tcp.post(f"/api/runs/{run}/rerun", headers=headers, json={"params": {"WHO": "x"}})

    assert first.json()["id"] == second.json()["id"]
    assert other.status_code == 409


async def test_a_run_of_a_task_that_is_gone_cannot_be_run_again(tmp_path: Path) -> None:
    async with api_of(tmp_path, *TASKS) as before:
        run = await over(before, "plain")
    async with api_of(tmp_path, TASKS[1]) as api:
        answer = await api.tcp.post(f"/api/runs/{run}/rerun")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/task-not-found")


async def test_a_deleted_run_is_gone_is_listed_as_deleted_and_comes_back(api: Api) -> None:
    run = await over(api, "plain")

    deleted = await api.tcp.delete(f"/api/runs/{run}")

    assert deleted.status_code == 200
    assert deleted.json()["deleted_at"] is not None
    assert (await api.tcp.get(f"/api/runs/{run}")).status_code == 404
    assert (await api.tcp.get("/api/runs")).json()["items"] == []
    [listed] = (await api.tcp.get("/api/runs?deleted=true&task_name=plain")).json()["items"]
    assert listed["deleted_at"] == deleted.json()["deleted_at"]
    assert (await api.tcp.get("/api/runs?deleted=true&task_name=other")).json()["items"] == []

    restored = await api.tcp.post(f"/api/runs/{run}/restore")

    assert restored.json()["deleted_at"] is None
    assert (await api.tcp.get(f"/api/runs/{run}")).json()["id"] == run
    assert (await api.tcp.post(f"/api/runs/{run}/restore")).status_code == 404
    await api.bed.until(EventKind.RUN_DELETED, run)  # type: ignore[arg-type]
    await api.bed.until(EventKind.RUN_RESTORED, run)  # type: ignore[arg-type]


async def test_deleted_runs_are_listed_a_page_at_a_time(api: Api) -> None:
    runs = [await over(api, "plain") for _ in range(3)]
    await ask(api, "delete", ids=runs)

    first = (await api.tcp.get("/api/runs?deleted=true&limit=2")).json()
    second = (await api.tcp.get(f"/api/runs?deleted=true&limit=2&cursor={first['next_cursor']}")).json()

    assert [run["id"] for run in (*first["items"], *second["items"])] == runs[::-1]
    assert second["next_cursor"] is None


async def test_what_has_not_ended_cannot_be_deleted(api: Api) -> None:
    run = await start(api, "plain")

    answer = await api.tcp.delete(f"/api/runs/{run}")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/run-not-ended")
    assert (await api.tcp.delete(f"/api/runs/{run_id(1)}")).status_code == 404


async def test_a_deleted_run_can_be_restored_for_an_hour(api: Api) -> None:
    run = await over(api, "plain")
    await api.tcp.delete(f"/api/runs/{run}")

    await api.bed.tick(3600)

    assert (await api.tcp.post(f"/api/runs/{run}/restore")).json()["type"] == "/problems/run-not-deleted"
    assert (await api.tcp.get("/api/runs?deleted=true")).json()["items"] == []
    async with asyncio.timeout(10):
        while await api.bed.store.deleted_runs(None, 1):
            await api.bed.tick(60)


async def test_a_tick_is_not_started_again_because_its_run_was_deleted(api: Api) -> None:
    await api.bed.tick(61)
    spawn = await api.bed.keeper.next_spawn()
    api.bed.keeper.end(spawn.run_id)
    await api.bed.until(EventKind.RUN_ENDED, spawn.run_id)

    assert (await api.tcp.delete(f"/api/runs/{spawn.run_id}")).status_code == 200
    await api.bed.crash()
    await api.bed.start()
    await settle()

    assert await api.bed.store.run(spawn.run_id) is None
    assert not [
        run for run in await api.bed.store.open_runs() if run.scheduled_at == NOON + timedelta(minutes=1)
    ]


# --- many


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "needs all: true"),
        ({"filter": {}}, "needs all: true"),
        ({"filter": {"status": []}}, "needs all: true"),
        ({"ids": [run_id(1)], "all": True}, "not both"),
        ({"ids": []}, "at least 1 item"),
        ({"ids": ["1234"]}, "match pattern"),
        ({"filter": {"task": "plain"}}, "there is no such field"),
        ({"filter": {"created_after": "yesterday"}}, "it is a time such as"),
        ({"all": True, "dryrun": True}, "did you mean dry_run?"),
    ],
)
async def test_a_request_that_does_not_say_which_is_a_fault(api: Api, body: object, message: str) -> None:
    for verb in bulk.Verb:
        answer = await api.tcp.post(f"/api/runs/bulk/{verb}", json=body)

        assert answer.status_code == 422
        assert message in answer.text


async def test_many_are_stopped_those_that_wait_first(api: Api) -> None:
    running = await start(api, "small")
    waiting = await start(api, "small")
    ended = await over(api, "plain")
    await api.bed.keeper.next_spawn()

    outcome = await ask(api, "stop", ids=[running, waiting, ended, run_id(1)])

    assert counts(outcome) == (4, 2, 2)
    assert problems(outcome) == {ended: "run-ended", run_id(1): "run-not-found"}
    assert (await api.tcp.get(f"/api/runs/{waiting}")).json()["end_reason"] == "stopped"
    api.bed.keeper.end(running)
    await api.bed.until(EventKind.RUN_ENDED, running)  # type: ignore[arg-type]


async def test_a_filter_stops_those_that_wait_first_so_that_none_gets_a_slot_that_is_freed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 1)
    tasks = {"small": Task(name="small", run="true", max_queued=9)}
    await api.bed.engine.reloading.reload(replace(api.bed.config, tasks=tasks))
    running, *waiting = [await start(api, "small") for _ in range(4)]
    await api.bed.until(EventKind.RUN_STARTED, running)  # type: ignore[arg-type]
    keeper = api.bed.keeper
    monkeypatch.setattr(keeper, "stop", lambda run, _: keeper.end_stopped(run))

    outcome = await ask(api, "stop", filter={"task_name": "small"})
    await api.bed.until(EventKind.RUN_ENDED, running)  # type: ignore[arg-type]

    assert counts(outcome) == (4, 4, 0)
    assert keeper.began == [running]
    for run in waiting:
        assert (await api.tcp.get(f"/api/runs/{run}")).json()["start_at"] is None


async def test_a_filter_means_those_to_which_it_can_be_done(api: Api) -> None:
    open_one = await start(api, "plain")
    await api.bed.keeper.next_spawn()
    ended = await over(api, "secret")

    stopped = await ask(api, "stop", all=True, dry_run=True)
    deleted = await ask(api, "delete", filter={"kind": ["task"]}, dry_run=True)
    rerun = await ask(api, "rerun", filter={"task_name": "secret"}, dry_run=True)
    none = await ask(api, "delete", filter={"status": ["running"]})

    assert [counts(each) for each in (stopped, deleted, rerun, none)] == [
        (1, 1, 0),
        (1, 1, 0),
        (1, 1, 0),
        (0, 0, 0),
    ]
    assert stopped["dry_run"] is True
    assert (await api.tcp.get(f"/api/runs/{open_one}")).json()["status"] == "running"
    assert (await api.tcp.get(f"/api/runs/{ended}")).status_code == 200


async def test_many_are_deleted_and_restored_by_a_filter(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    good = [await over(api, "plain") for _ in range(3)]
    bad = [await end(api, await start(api, "plain"), exit_code=1) for _ in range(3)]

    deleted = await ask(api, "delete", filter={"is_failure": True})

    assert counts(deleted) == (3, 3, 0)
    listed = (await api.tcp.get("/api/runs")).json()["items"]
    assert sorted(run["id"] for run in listed) == sorted(good)

    would = await ask(api, "restore", all=True, dry_run=True)
    others = await ask(api, "restore", filter={"is_failure": False}, dry_run=True)
    restored = await ask(api, "restore", filter={"task_name": "plain", "end_reason": ["failed"]})

    assert counts(others) == (0, 0, 0)
    assert counts(would) == counts(restored) == (3, 3, 0)
    assert len((await api.tcp.get("/api/runs")).json()["items"]) == len(good + bad)
    assert problems(await ask(api, "restore", ids=[bad[0]])) == {bad[0]: "run-not-deleted"}


async def test_many_are_run_again_and_those_that_need_a_secret_are_named(api: Api) -> None:
    plain = await over(api, "plain", WHO="ann")
    secret = await over(api, "secret", TOKEN="hunter2")

    would = await ask(api, "rerun", ids=[plain, secret], dry_run=True)
    outcome = await ask(api, "rerun", ids=[plain, secret])

    assert counts(would) == counts(outcome) == (2, 1, 1)
    [rerun] = outcome["reruns"]
    assert rerun["rerun_of_run_id"] == plain
    assert (await api.tcp.get(f"/api/runs/{rerun['run_id']}")).json()["params"] == {"WHO": "ann"}
    [fault] = outcome["faults"]
    assert (fault["run_id"], fault["type"]) == (secret, "/problems/invalid-request")
    assert [each["location"] for each in fault["errors"]] == ["body.params.TOKEN"]


@pytest.mark.parametrize(
    ("task", "problem", "done"), [("small", "queue-full", 2), ("skips", "run-skipped", 1)]
)
async def test_once_a_task_turns_a_rerun_away_its_others_are_left(
    api: Api, task: str, problem: str, done: int
) -> None:
    runs = [await over(api, task) for _ in range(5)]

    outcome = await ask(api, "rerun", filter={"task_name": task})

    assert counts(outcome) == (5, done, 5 - done)
    assert set(problems(outcome).values()) == {problem}
    listed = (await api.tcp.get("/api/runs")).json()["items"]
    assert len(listed) == len(runs) + done + 1  # the one that was turned away says so


async def test_a_bulk_rerun_that_is_repeated_with_its_key_starts_nothing_twice(api: Api) -> None:
    runs = [await over(api, "plain") for _ in range(2)]
    asked = {"json": {"ids": runs}, "headers": {"Idempotency-Key": "again"}}

    first = (await api.tcp.post("/api/runs/bulk/rerun", **asked)).json()
    second = (await api.tcp.post("/api/runs/bulk/rerun", **asked)).json()

    assert first["reruns"] == second["reruns"]
    assert len((await api.tcp.get("/api/runs")).json()["items"]) == 4


async def test_what_was_done_is_told_though_the_database_fails_in_between(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 2)
    runs = [await over(api, "plain") for _ in range(5)]
    held = api.bed.store.hold("set_aside", lambda run_ids, _at: runs[2] in run_ids)

    asked = asyncio.create_task(ask(api, "delete", ids=runs))
    await held.reached.wait()
    api.bed.store.broken = True
    held.release.set()
    outcome = await asked
    api.bed.store.broken = False

    assert counts(outcome) == (2, 2, 0)
    assert "disk full" in outcome["broken_off"]


async def test_an_answer_names_only_so_many_faults(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "NAMED", 3)

    outcome = await ask(api, "delete", ids=[run_id(number) for number in range(10)])

    assert counts(outcome) == (10, 0, 10)
    assert len(outcome["faults"]) == 3


async def test_jobs_are_run_again_only_by_those_who_may_start_jobs(tmp_path: Path) -> None:
    async with api_of(tmp_path, *TASKS, token=None) as api:
        job = (await api.socket.post("/api/jobs", json={"command": "true", "cwd": "/"})).json()
        await end(api, job["id"])

        answer = await api.stranger.post(f"/api/runs/{job['id']}/rerun")
        outcome = (await api.stranger.post("/api/runs/bulk/rerun", json={"ids": [job["id"]]})).json()

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/jobs-off")
    assert problems(outcome) == {job["id"]: "jobs-off"}
