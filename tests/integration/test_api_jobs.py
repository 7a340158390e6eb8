"""`/api/jobs`: a command goes in, a run comes out; each fault is named, each rule kept, no secret told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import TOKEN, Api, Conversation
from engine_bed import NOON, Bed

from rota.config.config import Jobs
from rota.model.event import EventKind
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRET = "correct-horse-battery-staple"


@asynccontextmanager
async def api_of(data: Path, jobs: Jobs, token: str | None = TOKEN) -> AsyncIterator[Api]:
    bed = Bed(data, [Task(name="task", run="true")])
    bed.config = replace(bed.config, jobs=jobs)
    await bed.start()
    api = Api(bed, token)
    try:
        yield api
    finally:
        await api.close()
        await bed.stop()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_of(tmp_path, Jobs(max_concurrent=1, max_queued=1)) as api:
        yield api


async def start(api: Api, body: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    answer = await api.tcp.post("/api/jobs", json={"command": "true", **(body or {}), **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_job_is_answered_with_its_run(api: Api) -> None:
    answer = await api.tcp.post(
        "/api/jobs",
        json={
            "command": ["make", "test"], "name": "build", "cwd": "/srv/shop/", "timeout": 1.5,
            "stdin": "pipe", "pty": False, "tags": ["ci", "ci", "nightly"], "env": {"TOKEN": SECRET},
        },
    )  # fmt: skip

    run = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/runs/{run['id']}")
    assert run["kind"] == "job"
    assert run["task_name"] is None
    about = {name: run[name] for name in ("command", "name", "cwd", "timeout", "stdin", "pty", "tags")}
    assert about == {
        "command": ["make", "test"], "name": "build", "cwd": "/srv/shop", "timeout": 1.5, "stdin": "pipe",
        "pty": False, "tags": ["ci", "nightly"],
    }  # fmt: skip
    assert run["actor"]["kind"] == "user"
    assert (await api.tcp.get(f"/api/runs/{run['id']}")).json()["name"] == "build"
    for page in ("/api/jobs", "/api/runs", f"/api/runs/{run['id']}"):
        assert SECRET not in (await api.tcp.get(page)).text


async def test_without_a_folder_a_job_runs_at_home(api: Api) -> None:
    home = (await api.bed.engine.triggering.login()).home

    assert (await start(api))["cwd"] == home


async def test_below_the_tilde_is_the_home_of_the_user_whose_job_it_is(api: Api) -> None:
    home = (await api.bed.engine.triggering.login()).home

    assert (await start(api, cwd="~/src"))["cwd"] == f"{home}/src"


async def test_with_wait_the_answer_comes_at_the_end(api: Api) -> None:
    asked = asyncio.create_task(api.tcp.post("/api/jobs?wait=true&wait_timeout=9", json={"command": "false"}))
    spawn = await api.bed.keeper.next_spawn()
    api.bed.keeper.end(spawn.run_id, 1)

    run = (await asked).json()

    assert (run["status"], run["end_reason"], run["exit_code"]) == ("ended", "failed", 1)


async def test_one_that_waits_says_for_whom_and_one_more_is_turned_away(api: Api) -> None:
    first, second = await start(api), await start(api)

    third = await api.tcp.post("/api/jobs", json={"command": "true"})

    assert second["waiting_for"] == {"kind": "jobs", "name": None, "run_ids": [first["id"]]}
    listed = (await api.tcp.get("/api/jobs?status=pending")).json()["items"]
    assert [each["waiting_for"] for each in listed if each["id"] == second["id"]] == [second["waiting_for"]]
    assert (third.status_code, third.json()["type"]) == (429, "/problems/queue-full")
    assert (await api.tcp.get(f"/api/runs/{third.json()['run_id']}")).json()["end_reason"] == "queue_full"


async def test_a_job_for_later_is_pending_and_can_be_cancelled(api: Api) -> None:
    at = NOON + timedelta(hours=1)
    run = await start(api, at="2026-03-02T14:00:00+01:00")
    assert (run["status"], run["scheduled_at"]) == ("pending", "2026-03-02T13:00:00.000000Z")
    assert at.isoformat().startswith(run["scheduled_at"][:19])
    assert run["waiting_for"] == {"kind": "time", "name": None, "run_ids": []}

    stopped = await api.tcp.post(f"/api/runs/{run['id']}/stop")

    assert (stopped.status_code, stopped.json()["end_reason"]) == (202, "stopped")


async def test_a_key_starts_one_job_and_another_body_is_refused(api: Api) -> None:
    headers = {"Idempotency-Key": "build-7"}
    body = {"command": "true", "env": {"A": "1", "B": "2"}}
    first = await api.tcp.post("/api/jobs", json=body, headers=headers)

    again = await api.tcp.post(
        "/api/jobs", json={"env": {"B": "2", "A": "1"}, "command": "true", "name": None}, headers=headers
    )
    other = await api.tcp.post("/api/jobs", json=body | {"env": {"A": "2"}}, headers=headers)

    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-reused")
    assert len(api.bed.keeper.spawns) == 1


async def test_a_repetition_is_answered_also_when_its_time_has_passed(api: Api) -> None:
    headers = {"Idempotency-Key": "later"}
    body = {"command": "true", "at": "2026-03-02T12:01:00Z"}
    first = await api.tcp.post("/api/jobs", json=body, headers=headers)
    await api.bed.tick(600)

    again = await api.tcp.post("/api/jobs", json=body, headers=headers)

    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


@pytest.mark.parametrize(
    ("body", "locations"),
    [
        ({}, ["body.command"]),
        ({"command": 7}, ["body.command"]),
        ({"command": ["a", 7]}, ["body.command"]),
        ({"command": "  \n"}, ["body.command"]),
        ({"command": []}, ["body.command"]),
        ({"command": ["", "x"]}, ["body.command"]),
        ({"command": "a\0b"}, ["body.command"]),
        ({"command": ["a", "b\0"]}, ["body.command.1"]),
        ({"command": "x" * 131_072}, ["body.command"]),
        ({"command": "a", "cwd": "src", "name": "", "tags": ["ok", "\n"]},
         ["body.name", "body.tags.1", "body.cwd"]),
        ({"command": "a", "env": {"ROTA_DATA": "x", "": "x", "A=B": "x", "N": "\0"}},
         ["body.env.ROTA_DATA", "body.env.", "body.env.A=B", "body.env.N"]),
        ({"command": "a", "env": {"A": 1}}, ["body.env.A"]),
        ({"command": "a", "timeout": 0}, ["body.timeout"]),
        ({"command": "a", "timeout": "9"}, ["body.timeout"]),
        ({"command": "a", "stdin": "file"}, ["body.stdin"]),
        ({"command": "a", "pty": "true"}, ["body.pty"]),
        ({"command": "a", "tags": ["x"] * 21}, ["body.tags"]),
        ({"command": "a", "at": "2026-03-02T11:00:00Z"}, ["body.at"]),
        ({"command": "a", "at": "9999-12-31T23:59:59-23:00"}, ["body.at"]),
        ({"command": "a", "at": "2226-03-02T11:00:00Z"}, ["body.at"]),
        ({"command": "a", "at": "tomorrow"}, ["body.at"]),
        ({"command": "a", "at": "2026-03-03T12:00:00"}, ["body.at"]),
        ({"command": "a", "comand": "b"}, ["body.comand"]),
    ],
)  # fmt: skip
async def test_every_fault_of_a_request_is_named(
    api: Api, body: dict[str, Any], locations: list[str]
) -> None:
    answer = await api.tcp.post("/api/jobs", json=body)

    assert answer.status_code == 422
    assert [fault["location"] for fault in answer.json()["errors"]] == locations
    assert api.bed.keeper.spawns == []


async def test_what_is_wrong_with_a_job_is_told_with_the_faults_of_query_and_body(api: Api) -> None:
    body = {
        "command": 7, "comand": "b", "cwd": "src", "env": {"ROTA_DATA": "x"}, "tags": ["\n"], "timeout": 0,
        "at": "2026-03-02T11:00:00Z",
    }  # fmt: skip

    answer = await api.tcp.post("/api/jobs?wiat=1", json=body)

    assert answer.status_code == 422
    assert sorted(fault["location"] for fault in answer.json()["errors"]) == [
        "body.at", "body.comand", "body.command", "body.cwd", "body.env.ROTA_DATA", "body.tags.0",
        "body.timeout", "query.wiat",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"env": {"TOKEN": SECRET}},
        {"command": "a", "env": {"TOKEN": [SECRET]}},
        {"command": "a", "env": {"ROTA_TOKEN": SECRET}},
        {"command": "a", "env": SECRET},
        {"command": "a", "envs": {"TOKEN": SECRET}},
        {"command": "a", "TOKEN": SECRET},
        [{"command": "a", "env": {"TOKEN": SECRET}}],
    ],
)
async def test_no_fault_says_a_secret_again(api: Api, body: object) -> None:
    answer = await api.tcp.post("/api/jobs", json=body)

    assert answer.status_code == 422
    assert SECRET not in answer.text


async def test_runs_are_filtered_by_kind_name_and_tag(api: Api) -> None:
    build = await start(api, name="build", tags=["ci"], at="2026-03-03T12:00:00Z")
    lint = await start(api, name="lint", tags=["ci", "fast"], at="2026-03-03T12:00:00Z")
    task = (await api.tcp.post("/api/tasks/task/run")).json()

    async def found(query: str, path: str = "/api/runs") -> set[str]:
        answer = await api.tcp.get(f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        return {run["id"] for run in answer.json()["items"]}

    assert await found("kind=job") == {build["id"], lint["id"]}
    assert await found("kind=task") == {task["id"]}
    assert await found("name=lint") == {lint["id"]}
    assert await found("tag=ci") == {build["id"], lint["id"]}
    assert await found("tag=fast&tag=nothing") == {lint["id"]}
    assert await found("", "/api/jobs") == {build["id"], lint["id"]}
    assert await found("name=build&tag=ci&status=pending", "/api/jobs") == {build["id"]}
    assert (await api.tcp.get("/api/jobs?task_name=task")).status_code == 422


async def test_jobs_come_page_by_page(api: Api) -> None:
    ids = [(await start(api, at="2026-03-03T12:00:00Z"))["id"] for _ in range(5)]

    seen, query = [], "limit=2"
    while True:
        page = (await api.tcp.get(f"/api/jobs?{query}")).json()
        seen += [run["id"] for run in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit=2&cursor={page['next_cursor']}"

    assert seen == ids[::-1]
    foreign = await api.tcp.get(f"/api/runs?limit=2&cursor={query.partition('cursor=')[2]}")
    assert foreign.status_code == 422


async def test_a_run_is_found_by_an_ending_of_its_id_everywhere(api: Api) -> None:
    run = await start(api)
    ending = run["id"][-8:]

    for path in (f"/api/runs/{ending}", f"/api/runs/{ending.upper()}"):
        assert (await api.tcp.get(path)).json()["id"] == run["id"]
    assert (await api.tcp.get(f"/api/runs/{ending}/log")).status_code == 200
    assert (await api.tcp.get(f"/api/runs/{ending}/log/raw")).status_code == 200
    assert (await api.tcp.post(f"/api/runs/{ending}/stop")).json()["id"] == run["id"]
    assert (await api.tcp.get("/api/runs/0000-000000000000")).status_code == 404


async def test_an_ending_that_several_runs_have_names_them(api: Api, monkeypatch) -> None:
    ids = iter(["019ca945-0a00-7000-8000-0000aaaabbbb", "019ca945-0a01-7000-8000-0000ccccbbbb"])
    monkeypatch.setattr(api.bed.engine._intake._ids, "run", lambda: next(ids))
    first = await start(api, name="build")
    second = await start(api)

    answer = await api.tcp.get("/api/runs/bbbb")

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/run-unclear")
    assert [(each["value"], each["message"]) for each in answer.json()["errors"]] == [
        (second["id"], "job"),
        (first["id"], "build"),
    ]


# --- who may


@pytest.mark.parametrize(
    ("enabled", "token", "door", "status"),
    [
        (None, TOKEN, "tcp", 201),
        (None, TOKEN, "socket", 201),
        (None, TOKEN, "stranger", 401),
        (None, None, "stranger", 403),
        (None, None, "socket", 201),
        (True, None, "stranger", 201),
        (False, TOKEN, "tcp", 403),
        (False, TOKEN, "socket", 403),
        (False, None, "stranger", 403),
    ],
)
async def test_who_may_start_jobs(
    tmp_path: Path, enabled: bool | None, token: str | None, door: str, status: int
) -> None:
    async with api_of(tmp_path, Jobs(enabled=enabled), token) as api:
        answer = await getattr(api, door).post("/api/jobs", json={"command": "true"})

        assert answer.status_code == status
        if status == 403:
            assert answer.json()["type"] == "/problems/jobs-off"
            assert "[jobs] enabled" in answer.json()["detail"]


async def test_of_a_stranger_nobody_is_named_as_the_actor(tmp_path: Path) -> None:
    async with api_of(tmp_path, Jobs(enabled=True), None) as api:
        answer = await api.stranger.post("/api/jobs", json={"command": "true"})

        assert answer.json()["actor"] is None


# --- the policy


@pytest.mark.parametrize(
    ("jobs", "body", "why"),
    [
        (Jobs(deny=("rm",)), {"command": ["rm", "x"]}, "'rm' (/"),
        (Jobs(deny=("rm",)), {"command": ["/bin/rm", "x"]}, "deny has 'rm'"),
        (Jobs(allow=("ls",)), {"command": "ls"}, "'/bin/sh' (/"),
        (Jobs(allow=("ls",)), {"command": ["no-such-program"]}, "allow has 'ls'"),
        (Jobs(allow=()), {"command": ["ls"]}, "allow has nothing"),
        (Jobs(allow=("sh", "ls"), deny=("ls",)), {"command": ["ls"]}, "deny has 'ls'"),
        (Jobs(cwd_roots=("/srv",)), {"command": "true", "cwd": "/"}, "/ is outside"),
        (Jobs(cwd_roots=("/srv",)), {"command": "true", "cwd": "/srv/../etc"}, "/etc is outside"),
        (Jobs(cwd_roots=("/srv",)), {"command": "true", "cwd": "/srvx"}, "/srvx is outside"),
    ],
)
async def test_what_the_policy_forbids_is_refused_with_its_reason(
    tmp_path: Path, jobs: Jobs, body: dict[str, Any], why: str
) -> None:
    async with api_of(tmp_path, jobs) as api:
        answer = await api.tcp.post("/api/jobs", json=body)

        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/job-refused")
        assert why in answer.json()["detail"]
        assert api.bed.keeper.spawns == []


@pytest.mark.parametrize(
    ("jobs", "body"),
    [
        (Jobs(allow=("ls",)), {"command": ["ls"]}),
        (Jobs(allow=("sh",)), {"command": "anything"}),
        (Jobs(allow=("/usr/bin/*", "/bin/*")), {"command": ["ls"]}),
        (Jobs(cwd_roots=("/srv", "/tmp")), {"command": "true", "cwd": "/tmp/x"}),
        (Jobs(deny=("rm",)), {"command": ["ls", "rm"]}),
        (Jobs(timeout=timedelta(seconds=9)), {"command": "true", "timeout": 9}),
    ],
)
async def test_what_the_policy_allows_is_started(tmp_path: Path, jobs: Jobs, body: dict[str, Any]) -> None:
    async with api_of(tmp_path, jobs) as api:
        await start(api, body)


async def test_a_link_to_a_program_is_that_program(tmp_path: Path) -> None:
    (tmp_path / "ls").symlink_to("/bin/sh")
    async with api_of(tmp_path / "data", Jobs(allow=("ls",))) as api:
        answer = await api.tcp.post("/api/jobs", json={"command": [str(tmp_path / "ls")]})

    assert answer.status_code == 403


async def test_a_link_out_of_a_root_leads_out_of_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to("/etc")
    async with api_of(tmp_path / "data", Jobs(cwd_roots=(str(root),))) as api:
        answer = await api.tcp.post("/api/jobs", json={"command": "true", "cwd": str(root / "out")})

    assert answer.status_code == 403


async def test_a_job_may_not_take_longer_than_all_may(tmp_path: Path) -> None:
    async with api_of(tmp_path, Jobs(timeout=timedelta(seconds=9))) as api:
        longer = await api.tcp.post("/api/jobs", json={"command": "true", "timeout": 9.5})

        assert longer.status_code == 422
        assert longer.json()["errors"][0]["message"] == "it is 0.001 to 9 seconds ([jobs] timeout)"
        assert (await start(api))["timeout"] == 9


async def test_events_tell_of_jobs_as_of_all_runs_and_once(api: Api) -> None:
    with api.bed.bus.subscribe() as events:
        run = await start(api, name="build")
        await api.bed.until(EventKind.RUN_STARTED, run["id"])
        api.bed.keeper.end(run["id"])
        await api.bed.until(EventKind.RUN_ENDED, run["id"])
        events.close()
        kinds = [event.kind async for event in events]

    assert kinds == [EventKind.RUN_CREATED, EventKind.RUN_STARTED, EventKind.RUN_ENDED]


async def test_the_events_of_one_run_are_had_by_an_ending_of_its_id(api: Api) -> None:
    run = await start(api)

    unknown = await api.tcp.get("/api/events?run_id=ffff-ffffffffffff")
    conversation = Conversation(api.app, "GET", f"/api/events?run_id={run['id'][-8:]}&kind=run.ended")
    await conversation.start()
    api.bed.keeper.end(run["id"])
    event = await conversation.event()
    conversation.hang_up()
    await conversation.over()

    assert unknown.status_code == 404
    assert event is not None
    assert event["data"]["run"]["id"] == run["id"]
