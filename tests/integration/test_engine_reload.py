"""Other definitions while runs of the former ones wait, run and end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from engine_bed import NOON, Bed, FakeKeeper, bed_of, settle

from rota.config.config import Config, Group, Jobs, Server, Storage
from rota.engine.reloading import Effects
from rota.model.error import StoreUnavailable, TaskNotFound
from rota.model.event import EventKind
from rota.model.job import Job
from rota.model.retry import Retry
from rota.model.run import EndReason, HandOver, Run, RunId, Status, TriggeredBy, WaitKind
from rota.model.secret import Secret
from rota.model.service import Service
from rota.model.task import Overlap, Stdin, Task
from rota.storage.page import RunFilter
from rota.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MINUTE = timedelta(minutes=1)


def task(name: str = "job", **fields: Any) -> Task:
    return Task(**({"name": name, "run": "true"} | fields))


async def reload(bed: Bed, *tasks: Task, **tables: Any) -> Effects:
    """Give the engine these tasks, and the bed, whose next server reads the same file."""
    bed.config = replace(bed.config, tasks={each.name: each for each in tasks}, **tables)
    return await bed.engine.reloading.reload(bed.config)


def as_services(*names: str) -> dict[str, Service]:
    """Services of these names."""
    return {name: Service(life=Task(name=name, run="serve", max_concurrent=64)) for name in names}


async def ticks(bed: Bed, count: int) -> list[tuple[str | None, datetime | None]]:
    """The next so many runs of ticks, as they are written down."""
    created = [(await bed.until(EventKind.RUN_CREATED)).run for _ in range(count)]
    return [(run.task_name, run.scheduled_at) for run in created if run]


@asynccontextmanager
async def busy_bed(data: Path, **fields: Any) -> AsyncIterator[tuple[Bed, Run, Run]]:
    """One run of a task lives, and another waits for its slot."""
    async with bed_of(data, task(**fields)) as bed:
        first, second = await bed.trigger("job"), await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, first.id)
        yield bed, first, second


async def test_a_run_ends_by_the_exit_codes_that_it_was_started_under(tmp_path: Path) -> None:
    async with busy_bed(tmp_path, exit_codes=frozenset({3})) as (bed, first, second):
        await reload(bed, task(exit_codes=frozenset({0})))
        bed.keeper.end(first.id, 3)
        ended = await bed.until(EventKind.RUN_ENDED, first.id)
        await bed.until(EventKind.RUN_STARTED, second.id)
        bed.keeper.end(second.id, 3)
        next_ended = await bed.until(EventKind.RUN_ENDED, second.id)

        assert ended.run and (ended.run.end_reason, ended.run.revision) == (EndReason.SUCCESS, 1)
        assert next_ended.run
        assert (next_ended.run.end_reason, next_ended.run.revision) == (EndReason.FAILED, 2)


@pytest.mark.parametrize("ending", ["restart", "crash"])
async def test_so_it_does_after_the_server_has_died_and_started_with_another_file(
    tmp_path: Path, ending: str
) -> None:
    async with busy_bed(tmp_path, exit_codes=frozenset({3})) as (bed, first, _):
        bed.config = replace(bed.config, tasks={"job": task(exit_codes=frozenset({0}))})
        await getattr(bed, ending)()
        if ending == "crash":
            await bed.start()
        bed.keeper.end(first.id, 3)

        ended = await bed.until(EventKind.RUN_ENDED, first.id)

        assert ended.run and (ended.run.end_reason, ended.run.revision) == (EndReason.SUCCESS, 1)


async def test_a_run_that_fails_is_tried_again_as_it_was_started_though_the_next_server_knows_no_retry(
    tmp_path: Path,
) -> None:
    retry = Retry(attempts=2, delay=timedelta(seconds=5), on=frozenset({EndReason.FAILED, 7}))
    async with bed_of(tmp_path, task(retry=retry)) as bed:
        first = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, first.id)
        bed.config = replace(bed.config, tasks={"job": task()})
        await bed.restart()
        bed.keeper.end(first.id, 1)

        ended = await bed.until(EventKind.RUN_ENDED, first.id)
        assert ended.run and ended.run.next_attempt_run_id
        await bed.tick(6)
        again = await bed.until(EventKind.RUN_STARTED, ended.run.next_attempt_run_id)
        bed.keeper.end(ended.run.next_attempt_run_id, 1)
        last = await bed.until(EventKind.RUN_ENDED, ended.run.next_attempt_run_id)

        assert again.run and again.run.revision == 2
        assert last.run and last.run.next_attempt_run_id is None


async def test_what_waits_for_its_slot_starts_by_the_new_definition(tmp_path: Path) -> None:
    async with busy_bed(tmp_path) as (bed, first, second):
        await bed.keeper.next_spawn()
        await reload(bed, task(run="echo new", secrets={"KEY": Secret("hunter2")}))
        bed.keeper.end(first.id)

        spawn = await bed.keeper.next_spawn()

        assert (spawn.run_id, spawn.argv[-1]) == (second.id, "echo new")
        assert spawn.secrets == ("hunter2",)
        assert (await bed.run(second.id)).revision == 2


async def test_runs_that_wait_of_a_task_that_is_removed_end_stopped_and_those_that_live_go_on(
    tmp_path: Path,
) -> None:
    async with busy_bed(tmp_path, exit_codes=frozenset({3})) as (bed, first, second):
        at = bed.clock.now() + 10 * MINUTE
        third = await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, at=at)

        effects = await reload(bed, task("another"))
        ended = [await bed.until(EventKind.RUN_ENDED, run.id) for run in (second, third)]
        with pytest.raises(TaskNotFound):
            await bed.trigger("job")
        bed.keeper.end(first.id, 3)
        last = await bed.until(EventKind.RUN_ENDED, first.id)

        assert {run.id for run in effects.stopped} == {second.id, third.id}
        for event in ended:
            assert event.run and event.run.end_reason is EndReason.STOPPED
            assert event.run.message is not None
            assert "without its definition" in event.run.message
        assert last.run and last.run.end_reason is EndReason.SUCCESS
        assert len(bed.keeper.began) == 1


async def test_it_is_known_beforehand_which_runs_would_end(tmp_path: Path) -> None:
    async with busy_bed(tmp_path) as (bed, _, second):
        would = bed.engine.reloading.effects(Config(tasks={})).stopped

        assert [run.id for run in would] == [second.id]
        assert [run.id for run in bed.engine.runs.pending("job")] == [second.id]


async def test_a_task_that_goes_while_a_run_of_it_is_being_written_down_leaves_no_run_that_waits(
    tmp_path: Path,
) -> None:
    async with busy_bed(tmp_path) as (bed, first, second):
        hold = bed.store.hold("create")
        triggering = asyncio.create_task(bed.trigger("job"))
        await hold.reached.wait()

        await reload(bed)
        hold.release.set()
        late = await triggering

        for run in (second, late):
            ended = await bed.until(EventKind.RUN_ENDED, run.id)
            assert ended.run and ended.run.end_reason is EndReason.STOPPED
        bed.keeper.end(first.id)
        await bed.until(EventKind.RUN_ENDED, first.id)


async def test_a_task_that_goes_while_a_run_of_it_is_being_handed_over_takes_nothing_along(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(run="echo old")) as bed:
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        hold = bed.store.hold("create")
        triggering = asyncio.create_task(bed.trigger("job"))
        await hold.reached.wait()

        await reload(bed)
        hold.release.set()
        run = await triggering
        await bed.until(EventKind.RUN_STARTED, run.id)
        bed.keeper.end(run.id)
        await bed.until(EventKind.RUN_ENDED, run.id)

        assert [spawn.argv[-1] for spawn in bed.keeper.spawns] == ["echo old"]
        assert faults == []


async def test_a_task_whose_name_is_a_services_by_now_leaves_none_of_its_runs_to_it(tmp_path: Path) -> None:
    retried = Retry(attempts=2, delay=timedelta(0))
    async with busy_bed(tmp_path, retry=retried) as (bed, first, second):
        effects = await reload(bed, services=as_services("job"))
        ended = await bed.until(EventKind.RUN_ENDED, second.id)
        bed.keeper.end(first.id, 1)
        failed = await bed.until(EventKind.RUN_ENDED, first.id)
        await bed.tick(2)

        assert [run.id for run in effects.stopped] == [second.id]
        assert ended.run and ended.run.end_reason is EndReason.STOPPED
        assert failed.run and failed.run.next_attempt_run_id is None
        assert [spawn.env.get("ROTA_SERVICE") for spawn in bed.keeper.spawns] == [None, "job"]


async def test_a_life_of_a_service_whose_name_is_a_tasks_by_now_begins_nothing_after_that(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, *as_services("job").values()) as bed:
        life = await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_STARTED, life.run_id)

        await reload(bed, task(), task("next", after=("job",)), services={})
        bed.keeper.end(life.run_id, 0)
        await bed.until(EventKind.RUN_ENDED, life.run_id)
        await bed.settled()

        assert [run.task_name for run in (await bed.store.runs(RunFilter(), limit=9)).items] == ["job"]


async def test_what_runs_of_a_task_that_is_gone_counts_in_its_group_and_in_the_server_as_before(
    tmp_path: Path,
) -> None:
    groups = {"few": Group(max_concurrent=1)}
    async with bed_of(tmp_path, task(group="few"), groups=groups, server=Server(max_concurrent=2)) as bed:
        first = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, first.id)

        await reload(bed, task("same", group="few"), task("one"), task("two"))
        same, one, two = [await bed.trigger(name) for name in ("same", "one", "two")]

        assert same.waiting_for and (same.waiting_for.kind, same.waiting_for.run_ids) == (
            WaitKind.GROUP,
            (first.id,),
        )
        assert two.waiting_for and (two.waiting_for.kind, two.waiting_for.run_ids) == (
            WaitKind.SERVER,
            (first.id, one.id),
        )
        await bed.until(EventKind.RUN_STARTED, one.id)
        await bed.restart()
        assert {run.id for run in bed.engine.runs.running("job")} == {first.id}
        assert bed.engine.runs.count(Status.RUNNING) == 2


async def test_a_run_that_was_just_handed_over_starts_by_the_definition_of_that_moment(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(run="echo old")) as bed:
        hold = bed.store.hold("create")
        triggering = asyncio.create_task(bed.trigger("job"))
        await hold.reached.wait()

        await reload(bed, task(run="echo new"))
        hold.release.set()
        run = await triggering
        spawn = await bed.keeper.next_spawn()

        assert spawn.argv[-1] == "echo old"
        assert (await bed.run(run.id)).revision == 1


async def test_a_run_that_its_keeper_never_heard_of_is_handed_over_anew_by_the_definition_of_today(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(run="echo old", exit_codes=frozenset({3}))) as bed:
        await bed.stop()
        store = Store.open(tmp_path)
        to = HandOver(attempt="token", keeper_id="keeper-1", boot_id="boot-1")
        run = Run(
            id=RunId("0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"), task_name="job", triggered_by=TriggeredBy.API,
            created_at=NOON, hand_over=to, revision=1,
        )  # fmt: skip
        await store.create(run)
        await store.close()
        bed.config = replace(bed.config, tasks={"job": task(run="echo new")})
        await bed.start()

        spawn = await bed.keeper.next_spawn()

        assert (spawn.run_id, spawn.argv[-1]) == (run.id, "echo new")
        assert (await bed.run(run.id)).revision == 2


async def test_more_slots_start_those_who_wait_and_another_overlap_has_others_leave(tmp_path: Path) -> None:
    async with busy_bed(tmp_path) as (bed, first, second):
        third = await bed.trigger("job")

        await reload(bed, task(max_concurrent=2))
        await bed.until(EventKind.RUN_STARTED, second.id)
        assert [run.id for run in bed.engine.runs.pending("job")] == [third.id]

        await reload(bed, task(on_overlap=Overlap.REPLACE))
        assert await bed.keeper.next_stop() == (first.id, "a newer run, which replaces it")


async def test_another_deadline_holds_for_those_who_wait_already(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(cron=("* * * * *",))) as bed:
        running = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, running.id)
        await bed.tick(60)
        await ticks(bed, 2)
        [waiting] = bed.engine.runs.pending("job")

        await reload(bed, task(cron=("* * * * *",), start_deadline=timedelta(seconds=5)))
        await bed.tick(6)

        ended = await bed.until(EventKind.RUN_ENDED, waiting.id)
        assert ended.run and ended.run.end_reason is EndReason.MISSED


async def test_an_added_task_comes_due_and_a_changed_schedule_owes_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("hourly", cron=("0 * * * *",))) as bed:
        bed.keeper.at_once = True
        await bed.tick(30)

        await reload(bed, task("hourly", cron=("*/5 * * * *",)), task("added", cron=("* * * * *",)))
        await settle()
        [(name, at), *_] = [(each.task_name, each.scheduled_at) for each in bed.engine.ticks.coming(3)]
        came = []
        for minute in range(1, 6):
            await bed.tick(31 if minute == 1 else 60)
            came += await ticks(bed, 2 if minute == 5 else 1)

        assert (name, at) == ("added", NOON + MINUTE)
        assert [at for name, at in came if name == "added"] == [NOON + n * MINUTE for n in range(1, 6)]
        assert [at for name, at in came if name == "hourly"] == [NOON + 5 * MINUTE]


async def test_a_task_that_was_away_for_a_while_owes_nothing_of_it(tmp_path: Path) -> None:
    minutely = task(cron=("* * * * *",))
    async with bed_of(tmp_path, minutely) as bed:
        bed.keeper.at_once = True
        await bed.tick(61)

        await reload(bed)
        await bed.tick(180)
        await reload(bed, minutely)
        await bed.tick(60)

        assert [at for _, at in await ticks(bed, 2)] == [NOON + MINUTE, NOON + 5 * MINUTE]


async def test_unchanged_tasks_lose_no_tick_and_run_none_twice(tmp_path: Path) -> None:
    steady = task("steady", cron=("*/2 * * * * *",), max_concurrent=9)
    async with bed_of(tmp_path, steady) as bed:
        bed.keeper.at_once = True
        for second in range(20):
            await reload(bed, steady, task("other", cron=(f"{second + 30} * * * * *",)))
            await bed.tick(1)

        steady_ticks = [at for name, at in await ticks(bed, 10) if name == "steady"]
        assert steady_ticks == [NOON + timedelta(seconds=second) for second in range(2, 21, 2)]


async def test_a_store_that_cannot_write_refuses_it_and_the_former_tasks_stay(tmp_path: Path) -> None:
    async with busy_bed(tmp_path) as (bed, _, second):
        bed.store.broken = True
        with pytest.raises(StoreUnavailable):
            await bed.trigger("job")

        with pytest.raises(StoreUnavailable):
            await bed.engine.reloading.reload(Config())

        assert set(bed.engine.tasks) == {"job"}
        assert [run.id for run in bed.engine.runs.pending("job")] == [second.id]
        bed.store.broken = False


async def test_jobs_go_by_new_rules_too(tmp_path: Path) -> None:
    async with bed_of(tmp_path) as bed:
        await reload(bed, jobs=Jobs(max_concurrent=1))
        job = Job(command=("true",), cwd="/", stdin=Stdin.NONE)
        first, second = [
            await bed.engine.triggering.start_job(job, env={}, triggered_by=TriggeredBy.API) for _ in range(2)
        ]

        assert second.waiting_for and second.waiting_for.kind is WaitKind.JOBS
        await reload(bed, jobs=Jobs(max_concurrent=2))
        await bed.until(EventKind.RUN_STARTED, first.id)
        await bed.until(EventKind.RUN_STARTED, second.id)
        assert (await bed.run(second.id)).revision is None


async def test_retention_goes_by_new_rules_too(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        runs = [await bed.trigger("job") for _ in range(3)]
        for run in runs:
            await bed.until(EventKind.RUN_ENDED, run.id)

        await reload(bed, task(keep_runs=1), storage=Storage(max_size=1_000))
        await bed.tick(2)

        gone = [await bed.until(EventKind.RUN_DELETED) for _ in range(2)]
        assert {event.run.id for event in gone if event.run} == {run.id for run in runs[:2]}


async def test_how_much_of_the_disk_stays_free_goes_by_new_rules_too_and_by_each_keeper(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task()) as bed:
        assert bed.keeper.min_free_space == Storage().min_free_space

        await reload(bed, task(), storage=Storage(min_free_space=7))
        assert bed.keeper.min_free_space == 7
        bed.connects = False
        bed.keeper.die()
        await bed.until(EventKind.KEEPER_LOST)
        await reload(bed, task(), storage=Storage(min_free_space=8))
        bed.reconnect(FakeKeeper(keeper_id="keeper-2"))
        await bed.tick(1)
        await bed.until(EventKind.KEEPER_READY)

        assert bed.keeper.min_free_space == 8


async def test_revisions_are_kept_by_number_and_hold_no_secret(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(secrets={"KEY": Secret("hunter2")})) as bed:
        await reload(bed, task(secrets={"KEY": Secret("swordfish")}))
        await reload(bed, task(run="false"))
        await reload(bed)
        await reload(bed, task(run="false"))
        await bed.restart()

        kept = await bed.store.revisions("job")

        assert [each.number for each in kept] == [2, 1]
        assert kept[0].definition == {"name": "job", "run": "false"}
        assert kept[1].definition == {"name": "job", "run": "true", "secrets": ["KEY"]}
        assert b"hunter2" not in (tmp_path / "rota.db-wal").read_bytes()


async def test_of_many_revisions_those_go_that_nothing_was_started_under(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("rota.storage.tasks.MOST_REVISIONS", 6)
    async with bed_of(tmp_path, task(run="echo 0")) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        for number in range(1, 7):
            await reload(bed, task(run=f"echo {number}"))

        assert [each.number for each in await bed.store.revisions("job")] == [7, 6, 5, 1]


async def test_a_lost_keepers_run_of_a_task_that_is_gone_is_not_handed_to_the_next(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.refusing = True
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        await settle()

        await reload(bed)
        ended = await bed.until(EventKind.RUN_ENDED, run.id)
        bed.keeper.die()
        bed.reconnect(FakeKeeper(keeper_id="keeper-2"))
        await bed.until(EventKind.KEEPER_READY)

        assert ended.run and ended.run.end_reason is EndReason.STOPPED
        assert bed.keeper.spawns == []
        assert bed.engine.runs.count(Status.PENDING) == 0
