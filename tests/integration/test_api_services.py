"""The routes of services: what they show, what they set going, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_bed import api_of
from engine_bed import settle

from rota.model.event import EventKind
from rota.model.service import HealthCheck, Service
from rota.model.task import Task


def service(name: str = "web", **fields: object) -> Service:
    life = Task(name=name, run="exec serve", description="Serves", max_concurrent=1024)
    return Service(life=life, **fields)  # type: ignore[arg-type]


async def test_a_service_is_shown_with_its_definition_and_its_instances(tmp_path: Path) -> None:
    health = HealthCheck(tcp="127.0.0.1:{port}")
    async with api_of(tmp_path, service(instances=2, port=8000, health=health)) as api:
        runs = [(await api.bed.keeper.next_spawn()).run_id for _ in range(2)]
        for run in runs:
            await api.bed.until(EventKind.RUN_STARTED, run)
        await settle()

        answer = await api.tcp.get("/api/services/web")

        body = answer.json()
        assert answer.status_code == 200
        assert body["$schema"].endswith("/schemas/Service.json")
        assert (body["name"], body["state"], body["wanted"], body["scale"], body["healthy"]) == (
            "web", "starting", True, 2, 0,
        )  # fmt: skip
        assert body["run"] == "exec serve"
        assert body["health"]["tcp"] == "127.0.0.1:{port}"
        assert [(each["index"], each["pid"], each["port"], each["run_id"]) for each in body["instances"]] == [
            (0, 4000, 8000, runs[0]), (1, 4000, 8001, runs[1]),
        ]  # fmt: skip
        assert (await api.tcp.get("/api/services")).json()["items"] == [
            {name: value for name, value in body.items() if name != "$schema"}
        ]


async def test_services_come_by_name_and_page_by_page(tmp_path: Path) -> None:
    async with api_of(tmp_path, *(service(name) for name in "cab")) as api:
        first = (await api.tcp.get("/api/services?limit=2")).json()
        second = (await api.tcp.get(f"/api/services?limit=2&cursor={first['next_cursor']}")).json()

        assert [each["name"] for each in first["items"]] == ["a", "b"]
        assert [each["name"] for each in second["items"]] == ["c"]
        assert second["next_cursor"] is None


async def test_it_is_stopped_started_scaled_and_restarted(tmp_path: Path) -> None:
    async with api_of(tmp_path, service()) as api:
        spawn = await api.bed.keeper.next_spawn()
        await api.bed.until(EventKind.RUN_STARTED, spawn.run_id)

        stopped = await api.tcp.post("/api/services/web/stop")
        assert (stopped.status_code, stopped.json()["wanted"]) == (202, False)
        await api.bed.keeper.next_stop()
        api.bed.keeper.end_stopped(spawn.run_id)
        await api.bed.until(EventKind.SERVICE_STOPPED)

        scaled = await api.tcp.post("/api/services/web/scale", json={"instances": 2})
        assert (scaled.json()["scale"], scaled.json()["declared"], scaled.json()["state"]) == (
            2,
            1,
            "stopped",
        )

        started = await api.tcp.post("/api/services/web/start")
        assert (started.status_code, started.json()["wanted"]) == (202, True)
        for _ in range(2):
            await api.bed.keeper.next_spawn()

        restarted = await api.tcp.post("/api/services/web/restart", json={"rolling": True})
        assert restarted.json()["restarting"] == {"rolling": True, "left": 2}


@pytest.mark.parametrize(
    ("path", "body", "location"),
    [
        ("scale", {"instances": 0}, "body.instances"),
        ("scale", {"instances": 65}, "body.instances"),
        ("scale", {}, "body.instances"),
        ("scale", {"instances": True}, "body.instances"),
        ("scale", {"instances": "2"}, "body.instances"),
        ("scale", {"instances": 3}, "body.instances"),
        ("restart", {"roling": True}, "body.roling"),
        ("signal", {"signal": "SIGNIFICANT"}, "body.signal"),
        ("signal", {"signal": "SIGHUP", "instance": 7}, "body.instance"),
        ("signal", {"signal": "SIGHUP", "instance": False}, "body.instance"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    tmp_path: Path, path: str, body: dict[str, object], location: str
) -> None:
    async with api_of(tmp_path, service(port=65_534)) as api:
        answer = await api.tcp.post(f"/api/services/web/{path}", json=body)

        assert answer.status_code == 422
        assert [fault["location"] for fault in answer.json()["errors"]] == [location]


@pytest.mark.parametrize("route", ["", "/start", "/stop", "/restart", "/signal"])
async def test_there_is_no_such_service(tmp_path: Path, route: str) -> None:
    async with api_of(tmp_path, service(), Task(name="job", run="true")) as api:
        method = "POST" if route else "GET"

        near = await api.tcp.request(method, f"/api/services/wb{route}")
        task = await api.tcp.request(method, f"/api/services/job{route}")

        assert (near.status_code, near.json()["type"]) == (404, "/problems/service-not-found")
        assert "did you mean 'web'?" in near.json()["detail"]
        assert task.status_code == 404
        assert "POST /api/tasks/job/run" in task.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", "web/run"), ("POST", "web/pause"), ("POST", "web/resume")),
        *(("GET", "web"), ("GET", "web/why"), ("GET", "web/log/search?q=x")),
    ],
)
async def test_the_routes_of_tasks_name_those_of_the_service(tmp_path: Path, method: str, path: str) -> None:
    async with api_of(tmp_path, service()) as api:
        answer = await api.tcp.request(method, f"/api/tasks/{path}")

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/task-is-service")
        assert "/api/services/web" in answer.json()["detail"]


async def test_a_signal_needs_a_name_where_the_service_has_none(tmp_path: Path) -> None:
    async with api_of(tmp_path, service()) as api:
        answer = await api.tcp.post("/api/services/web/signal")

        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-reload-signal")


async def test_a_signal_that_would_reach_nobody_is_refused(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(autostart=False)) as api:
        answers = [
            await api.tcp.post("/api/services/web/signal", json={"signal": "SIGHUP", **whom})
            for whom in ({}, {"instance": 0})
        ]

        assert [(each.status_code, each.json()["type"]) for each in answers] == [
            (409, "/problems/nothing-lives")
        ] * 2
        assert "service 'web' is stopped" in answers[0].json()["detail"]
        assert "instance 0 of service 'web' is stopped" in answers[1].json()["detail"]


async def test_events_tell_of_instances_and_can_be_asked_for_by_the_name_of_the_service(
    tmp_path: Path,
) -> None:
    async with api_of(tmp_path, service(), service("other")) as api:
        spawn = await api.bed.keeper.next_spawn()
        events = api.bed.bus.subscribe(task_name="web", kinds={EventKind.SERVICE_HEALTHY})
        await api.bed.until(EventKind.RUN_STARTED, spawn.run_id)
        await settle()

        await api.bed.tick(1)

        event = await anext(events)
        assert event.instance is not None  # type: ignore[union-attr]
        assert event.instance.service == "web"  # type: ignore[union-attr]
        events.close()
