"""`POST /api/…/pause` and `…/resume`: who, why and since when, and what says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_bed import api_of

from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


async def test_a_pause_is_answered_and_shown_with_who_why_and_since_when(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(cron=("@daily",))) as api:
        answer = await api.tcp.post("/api/tasks/job/pause", json={"reason": "deploying"})
        body = answer.json()

        assert answer.status_code == 200
        assert (body["kind"], body["name"]) == ("task", "job")
        [pause] = body["pauses"]
        assert (pause["reason"], pause["via"], pause["since"]) == (
            "deploying",
            "api",
            "2026-03-02T12:00:00.000000Z",
        )
        assert (await api.tcp.get("/api/tasks/job")).json()["pauses"] == [pause]
        assert (await api.tcp.get("/api/tasks")).json()["items"][0]["pauses"] == [pause]
        assert (await api.tcp.get("/api/info")).json()["pauses"] == [pause]
        why = (await api.tcp.get("/api/tasks/job/why")).json()
        assert why["pauses"] == [pause]
        assert why["note"].endswith("(deploying): ticks that come before it is resumed are missed")


async def test_resume_says_what_holds_it_all_the_same(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(group="my/group")) as api:
        await api.tcp.post("/api/pause")
        grouped = (await api.tcp.post("/api/groups/my%2Fgroup/pause", json={"reason": "x"})).json()
        await api.tcp.post("/api/tasks/job/pause")

        after = (await api.tcp.post("/api/tasks/job/resume")).json()

        assert [each["kind"] for each in grouped["pauses"]] == ["group", "all"]
        assert [(each["kind"], each["name"]) for each in after["pauses"]] == [
            ("group", "my/group"),
            ("all", None),
        ]
        assert (await api.tcp.post("/api/resume")).json() == {
            "$schema": after["$schema"],
            "kind": "all",
            "name": None,
            "pauses": [],
        }


async def test_what_cannot_be_paused_is_a_problem(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(group="backups")) as api:
        group = await api.tcp.post("/api/groups/backup/pause")
        one = await api.tcp.post("/api/tasks/jab/resume")
        body = await api.tcp.post("/api/pause", json={"reason": "", "why": "x"})

        assert (group.status_code, group.json()["type"].rpartition("/")[2]) == (404, "group-not-found")
        assert "did you mean 'backups'" in group.json()["detail"]
        assert (one.status_code, one.json()["type"].rpartition("/")[2]) == (404, "task-not-found")
        assert body.status_code == 422
        assert {each["location"] for each in body.json()["errors"]} == {"body.reason", "body.why"}


async def test_a_trigger_in_a_pause_says_so_at_once_and_afterwards(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        api.bed.keeper.at_once = True
        await api.tcp.post("/api/tasks/job/pause", json={"reason": "deploying"})

        run = (await api.tcp.post("/api/tasks/job/run?wait=true")).json()

        assert run["end_reason"] == "success"
        assert "paused" in run["despite_pause"]
        assert (await api.tcp.get(f"/api/runs/{run['id']}")).json()["despite_pause"] == run["despite_pause"]
