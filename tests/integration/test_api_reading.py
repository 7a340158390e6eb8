"""Looking: runs, tasks, logs, the server itself; and stopping what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from api_bed import URL, Conversation, api_of

from rota.logs.reader import log_path
from rota.model.event import EventKind
from rota.model.task import Task
from rota.operations import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from api_bed import Api

NOBODY = "0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, **{"run": "true", **fields})  # type: ignore[arg-type]


async def ended_run(api: Api, task_name: str = "job", exit_code: int = 0) -> str:
    answer = await api.tcp.post(f"/api/tasks/{task_name}/run")
    run_id: str = answer.json()["id"]
    await api.bed.until(EventKind.RUN_STARTED, run_id)  # type: ignore[arg-type]
    api.bed.keeper.end(run_id, exit_code)  # type: ignore[arg-type]
    await api.bed.until(EventKind.RUN_ENDED, run_id)  # type: ignore[arg-type]
    return run_id


async def test_runs_come_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_ids = [await ended_run(api) for _ in range(5)]

        first = (await api.tcp.get("/api/runs?limit=3")).json()
        second = (await api.tcp.get("/api/runs", params={"limit": 3, "cursor": first["next_cursor"]})).json()

        assert first["$schema"] == f"{URL}/schemas/RunPage.json"
        assert [run["id"] for run in first["items"] + second["items"]] == run_ids[::-1]
        assert all("$schema" not in run for run in first["items"])
        assert second["next_cursor"] is None


async def test_runs_are_filtered_by_what_any_of_the_values_lets_through(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(), task("other")) as api:
        good, bad = await ended_run(api), await ended_run(api, exit_code=2)
        other = await ended_run(api, "other")

        async def ids(query: str) -> list[str]:
            return [run["id"] for run in (await api.tcp.get(f"/api/runs?{query}")).json()["items"]]

        assert await ids("task_name=job") == [bad, good]
        assert await ids("end_reason=failed") == [bad]
        assert await ids("is_failure=true") == [bad]
        assert await ids("is_failure=false&task_name=job") == [good]
        assert await ids("end_reason=failed&end_reason=success&task_name=other") == [other]
        assert await ids("status=running&status=pending") == []
        assert await ids("triggered_by=cron") == []
        assert await ids("created_after=2026-03-02T12:00:00Z") == [other, bad, good]
        assert await ids("created_before=2026-03-02T13:00:00%2B01:00") == []


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("status=done", "query.status.0"),
        ("task_name=a%20b", "query.task_name"),
        ("created_after=yesterday", "query.created_after"),
        ("created_after=2026-03-02T12:00:00", "query.created_after"),
        ("created_after=2026-02-30T12:00:00Z", "query.created_after"),
        ("cursor=nonsense", "query.cursor"),
        ("offset=5", "query.offset"),
    ],
)
async def test_a_filter_that_cannot_be_meant_is_a_fault(tmp_path: Path, query: str, location: str) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.get(f"/api/runs?{query}")

        assert answer.status_code == 422
        assert [fault["location"] for fault in answer.json()["errors"]] == [location]


@pytest.mark.parametrize("path", ["/api/runs", "/api/jobs", "/api/tasks", "/api/services"])
async def test_a_cursor_that_is_none_is_told_with_every_other_fault(tmp_path: Path, path: str) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.get(f"{path}?limit=0&cursor=%20&offset=5")

        assert answer.status_code == 422
        assert {fault["location"]: fault["value"] for fault in answer.json()["errors"]} == {
            "query.limit": 0,
            "query.cursor": " ",
            "query.offset": "5",
        }


async def test_a_run_that_nobody_knows_is_not_found_and_a_bad_id_is_a_fault(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        for path in ("", "/log/raw"):
            assert (await api.tcp.get(f"/api/runs/{NOBODY}{path}")).status_code == 404
            bad = await api.tcp.get(f"/api/runs/7{path}")
            assert bad.status_code == 422
            assert bad.json()["errors"][0]["location"] == "path.run_id"
        assert (await api.tcp.post(f"/api/runs/{NOBODY}/stop")).status_code == 404


async def test_stop_answers_202_and_the_run_ends_as_stopped(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = (await api.tcp.post("/api/tasks/job/run")).json()["id"]
        await api.bed.until(EventKind.RUN_STARTED, run_id)

        answer = await api.tcp.post(f"/api/runs/{run_id}/stop")

        assert (answer.status_code, answer.json()["id"]) == (202, run_id)
        assert await api.bed.keeper.next_stop() == (run_id, "api")
        api.bed.keeper.end_stopped(run_id)
        ended = await api.bed.until(EventKind.RUN_ENDED, run_id)
        assert ended.run is not None
        assert ended.run.end_reason == "stopped"


async def test_stop_cancels_a_pending_run(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        await api.tcp.post("/api/tasks/job/run")
        pending = (await api.tcp.post("/api/tasks/job/run")).json()["id"]

        answer = await api.tcp.post(f"/api/runs/{pending}/stop", json={})

        run = answer.json()
        assert (answer.status_code, run["status"], run["end_reason"]) == (202, "ended", "stopped")


async def test_a_run_that_has_ended_cannot_be_stopped(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)

        answer = await api.tcp.post(f"/api/runs/{run_id}/stop")

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/run-ended")


async def test_stop_takes_no_body(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.post(f"/api/runs/{NOBODY}/stop", json={"force": True})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["location"] == "body.force"


async def test_the_raw_log_is_the_programs_bytes_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_log, "PIECE", 1000)
    written = bytes(range(256)) * 100 + b"\xff\x00 no newline at the end"
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = log_path(tmp_path, run_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(written)

        plain = {"Accept-Encoding": "identity"}
        answer = await api.tcp.get(f"/api/runs/{run_id}/log/raw", headers=plain)
        head = await api.tcp.head(f"/api/runs/{run_id}/log/raw", headers=plain)

        assert (answer.status_code, answer.content) == (200, written)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-length"] == head.headers["content-length"] == str(len(written))
        assert head.content == b""


async def test_a_run_that_wrote_nothing_has_an_empty_log(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)

        answer = await api.tcp.get(f"/api/runs/{run_id}/log/raw")

        assert (answer.status_code, answer.content) == (200, b"")


async def test_a_client_that_leaves_in_the_middle_of_a_log_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_log, "PIECE", 10)
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = log_path(tmp_path, run_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"x" * 200_000)
        conversation = Conversation(api.app, "GET", f"/api/runs/{run_id}/log/raw")
        await conversation.start()
        assert await conversation.piece() == b"x" * 10

        conversation.hang_up()

        await conversation.over()
        assert conversation._outgoing.qsize() < 19_000


async def test_tasks_come_by_name_with_their_next_tick_and_last_run(tmp_path: Path) -> None:
    async with api_of(tmp_path, task("b", cron=("0 3 * * *",)), task("a"), task("c")) as api:
        last = await ended_run(api, "b", 3)

        first = (await api.tcp.get("/api/tasks?limit=2")).json()
        second = (await api.tcp.get("/api/tasks", params={"cursor": first["next_cursor"]})).json()

        assert [each["name"] for each in first["items"]] == ["a", "b"]
        assert [each["name"] for each in second["items"]] == ["c"]
        assert second["next_cursor"] is None
        b = first["items"][1]
        assert [tick["due_at"] for tick in b["next_ticks"]] == ["2026-03-03T03:00:00.000000Z"]
        assert [(run["id"], run["exit_code"]) for run in b["last_runs"]] == [(last, 3)]
        assert (await api.tcp.get("/api/tasks?cursor=%C3%A4")).status_code == 422


async def test_a_task_tells_its_definition_and_how_it_stands(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(cron=("@hourly",), run=("echo", "x"), env={"A": "1"})) as api:
        await api.tcp.post("/api/tasks/job/run")
        await api.bed.until(EventKind.RUN_STARTED)
        await api.tcp.post("/api/tasks/job/run")

        it = (await api.tcp.get("/api/tasks/job")).json()

        assert it["$schema"] == f"{URL}/schemas/Task.json"
        assert (it["run"], it["env"], it["grace"], it["timeout"]) == (["echo", "x"], {"A": "1"}, 5.0, None)
        assert (it["running"], it["pending"], len(it["last_runs"])) == (1, 1, 2)
        assert len(it["next_ticks"]) == 5
        assert it["next_ticks"][0]["scheduled_at"] == "2026-03-02T13:00:00.000000Z"


async def test_info_says_what_the_server_is(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        it = (await api.tcp.get("/api/info")).json()

        assert (it["version"], it["pid"], it["tasks"], it["data"]) == ("1.2.3", 4711, 1, str(tmp_path))


async def test_health_is_503_with_what_is_wrong_until_it_heals(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        well = await api.stranger.get("/health")
        api.bed.store.broken = True
        await api.tcp.post("/api/tasks/job/run")

        unwell = await api.stranger.get("/health")

        assert (well.status_code, well.json()["ok"], well.json()["problems"]) == (200, True, [])
        assert (unwell.status_code, unwell.headers["content-type"]) == (503, "application/problem+json")
        assert "disk full" in unwell.json()["errors"][0]["message"]
