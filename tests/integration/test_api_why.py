"""`GET /api/tasks/{task_name}/why` and `GET /api/next`: back and ahead on the ticks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from api_bed import api_of
from engine_bed import settle

from rota.config.config import Group
from rota.model.event import EventKind
from rota.model.task import Overlap, Task


def task(name: str, *cron: str, **fields: object) -> Task:
    return Task(name=name, run="true", cron=cron, **fields)  # type: ignore[arg-type]


async def test_no_tick_disappears_without_a_trace(tmp_path: Path) -> None:
    async with api_of(tmp_path, task("job", "* * * * *", on_overlap=Overlap.SKIP)) as api:
        bed = api.bed
        await settle()
        await bed.tick(60)
        first = await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_STARTED)
        for _ in range(3):
            await bed.tick(60)
            await bed.until(EventKind.RUN_ENDED)
        await bed.tick(1)
        bed.keeper.now = bed.clock.now()
        bed.keeper.end(first.run_id)
        await bed.until(EventKind.RUN_ENDED, first.run_id)
        bed.clock.suspend(600)
        bed.keeper.now = bed.clock.now()
        bed.keeper.at_once = True
        await bed.tick(2)
        for _ in range(2):
            await bed.until(EventKind.RUN_ENDED)

        why = (await api.tcp.get("/api/tasks/job/why")).json()

        assert [(each["outcome"], each["count"]) for each in why["last"]] == [
            ("ran", 1), ("skipped", 3), ("missed", 9), ("ran", 1),
        ]  # fmt: skip
        assert why["last"][1]["behind"] == [first.run_id]
        assert "suspended" in why["last"][2]["message"]
        assert sum(each["count"] for each in why["last"]) == 14
        assert len(why["next"]) == 10
        assert why["note"] is None


async def test_a_tick_that_waits_or_waited_for_its_group_names_the_group_and_who_had_its_slots(
    tmp_path: Path,
) -> None:
    tasks = (task("job", "* * * * *", group="few"), task("long", group="few"))
    async with api_of(tmp_path, *tasks, groups={"few": Group(max_concurrent=1)}) as api:
        bed = api.bed
        await bed.tick(30)
        long = await bed.trigger("long")
        bed.keeper.now = bed.clock.now()
        await bed.until(EventKind.RUN_STARTED, long.id)
        await bed.tick(60)
        await bed.settled()

        waits = (await api.tcp.get("/api/tasks/job/why")).json()["last"]
        bed.keeper.now = bed.clock.now()
        bed.keeper.end(long.id)
        await bed.keeper.next_spawn()
        run = await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_STARTED, run.run_id)
        runs = (await api.tcp.get("/api/tasks/job/why")).json()["last"]

        assert [(each["outcome"], each["behind"]) for each in waits] == [("waiting", [long.id])]
        assert waits[0]["message"] == (
            "waits for its turn behind others, which have the slots of the group few"
        )
        assert [(each["outcome"], each["behind"]) for each in runs] == [("running", [long.id])]
        assert runs[0]["message"] == "runs after others, which had the slots of the group few"


async def test_a_tick_that_was_put_off_and_waits_now_says_that_it_waits(tmp_path: Path) -> None:
    spread = task("job", "* * * * *", jitter=timedelta(seconds=50))
    async with api_of(tmp_path, spread) as api:
        bed = api.bed
        first = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, first.id)
        await bed.tick(60)
        await bed.settled()
        early = (await api.tcp.get("/api/tasks/job/why")).json()["last"]
        await bed.tick(51)
        await bed.settled()
        late = (await api.tcp.get("/api/tasks/job/why")).json()["last"]

        assert [each["outcome"] for each in early] == ["not_due"]
        assert [(each["outcome"], each["behind"]) for each in late] == [("waiting", [first.id])]


async def test_a_task_without_ticks_says_why_none_comes(tmp_path: Path) -> None:
    async with api_of(tmp_path, task("job"), task("daily", "@daily")) as api:
        why = (await api.tcp.get("/api/tasks/job/why?ticks=5")).json()

        assert (why["last"], why["next"]) == ([], [])
        assert why["note"] == "it has no cron: it starts only when it is asked to"
        assert (await api.tcp.get("/api/tasks/daly/why")).status_code == 404
        assert (await api.tcp.get("/api/tasks/daily/why?ticks=0")).status_code == 422


async def test_what_comes_next_is_told_of_all_tasks_as_it_is_due(tmp_path: Path) -> None:
    minutely = task("minutely", "* * * * *")
    hourly = task("hourly", "0 * * * *", jitter=timedelta(minutes=30))
    async with api_of(tmp_path, minutely, hourly, task("by-hand")) as api:
        await settle()
        at = "2026-03-02T12:03:30Z"
        later = (await api.tcp.post("/api/tasks/by-hand/run", json={"at": at})).json()

        items = (await api.tcp.get("/api/next?limit=100")).json()["items"]

        assert len(items) == 100
        assert items == sorted(items, key=lambda each: each["due_at"])
        assert [each["task_name"] for each in items[:5]] == [
            "minutely", "minutely", "minutely", "by-hand", "minutely",
        ]  # fmt: skip
        assert items[3] == {
            "task_name": "by-hand",
            "scheduled_at": "2026-03-02T12:03:30.000000Z",
            "due_at": "2026-03-02T12:03:30.000000Z",
            "run_id": later["id"],
        }
        (one,) = [each for each in items if each["task_name"] == "hourly"][:1]
        assert one["scheduled_at"] == "2026-03-02T13:00:00.000000Z"
        assert one["scheduled_at"] <= one["due_at"] < "2026-03-02T13:30:00.000000Z"
        of_task = (await api.tcp.get("/api/tasks/hourly")).json()["next_ticks"]
        assert of_task[0] == one


async def test_a_tick_that_jitter_puts_off_is_still_to_come(tmp_path: Path) -> None:
    async with api_of(tmp_path, task("hourly", "0 * * * *", jitter=timedelta(minutes=30))) as api:
        await settle()
        before = (await api.tcp.get("/api/next?limit=1")).json()["items"][0]
        await api.bed.tick(3600)
        created = (await api.bed.until(EventKind.RUN_CREATED)).run

        after = (await api.tcp.get("/api/next?limit=1")).json()["items"][0]
        why = (await api.tcp.get("/api/tasks/hourly/why")).json()

        assert created is not None
        assert after == {**before, "run_id": created.id}
        assert [each["outcome"] for each in why["last"]] == ["not_due"]


async def test_a_tick_that_jitter_puts_off_comes_after_those_that_are_due_before_it(tmp_path: Path) -> None:
    spread = [task(f"spread-{n}", "1 12 * * *", jitter=timedelta(hours=5)) for n in range(20)]
    async with api_of(tmp_path, *spread, task("exact", "2 12 * * *")) as api:
        await settle()

        items = (await api.tcp.get("/api/next?limit=3")).json()["items"]
        every = (await api.tcp.get("/api/next?limit=21")).json()["items"]

        assert items == every[:3]
        assert "exact" in [each["task_name"] for each in items]
        assert every == sorted(every, key=lambda each: each["due_at"])
