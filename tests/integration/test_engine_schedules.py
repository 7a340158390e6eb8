"""Ticks become runs when they are due, once each; gaps leave one run that says how many."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from engine_bed import NOON, Bed, bed_of, settle

from rota.model.event import EventKind
from rota.model.run import EndReason, Status, TriggeredBy
from rota.model.task import Overlap, Task


def task(name: str = "job", *cron: str, **fields: object) -> Task:
    return Task(name=name, run="true", cron=cron or ("* * * * *",), **fields)  # type: ignore[arg-type]


async def test_a_tick_starts_a_run_at_its_instant(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        await bed.tick(59)
        assert bed.keeper.spawns == []

        await bed.tick(1)

        spawn = await bed.keeper.next_spawn()
        run = await bed.run(spawn.run_id)
        assert run.scheduled_at == NOON + timedelta(minutes=1)
        assert run.triggered_by is TriggeredBy.CRON
        assert spawn.env["ROTA_SCHEDULED_AT"] == "2026-03-02T12:01:00Z"


async def test_two_schedules_of_one_task_that_meet_make_one_tick(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", "1 12 * * *", "* 12 * * *")) as bed:
        await settle()
        await bed.tick(60)
        await bed.keeper.next_spawn()

        await bed.tick(30)

        assert len(bed.keeper.spawns) == 1


async def test_ticks_of_many_tasks_are_claimed_together(tmp_path: Path) -> None:
    tasks = [task(f"job-{number}") for number in range(200)]
    async with bed_of(tmp_path, *tasks) as bed:
        await settle()
        await bed.tick(60)

        spawned = {(await bed.keeper.next_spawn()).env["ROTA_TASK"] for _ in tasks}

        assert spawned == {one.name for one in tasks}


async def test_a_tick_while_the_task_runs_waits_or_is_skipped(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("queue"), task("skip", on_overlap=Overlap.SKIP)) as bed:
        await settle()
        await bed.tick(60)
        await bed.keeper.next_spawn()
        await bed.keeper.next_spawn()

        await bed.tick(60)
        skipped = await bed.until(EventKind.RUN_ENDED)

        assert skipped.run is not None
        assert (skipped.run.task_name, skipped.run.end_reason) == ("skip", EndReason.SKIPPED)
        assert len(bed.engine.runs.pending("queue")) + len(bed.engine.runs.running("queue")) == 2


async def test_a_disabled_task_has_no_ticks(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("off", enabled=False), task("on")) as bed:
        await settle()
        await bed.tick(60)

        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "on"
        assert bed.engine.ticks.next("off", 3) == []
        following = [tick.due_at for tick in bed.engine.ticks.next("on", 2)]
        assert following == [NOON + timedelta(minutes=2), NOON + timedelta(minutes=3)]


async def test_a_server_that_was_away_for_half_a_minute_runs_the_late_tick(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        await bed.stop()
        bed.clock.jump(90)

        await bed.start()

        run = await bed.run((await bed.keeper.next_spawn()).run_id)
        assert run.scheduled_at == NOON + timedelta(minutes=1)


async def test_a_long_gap_leaves_one_missed_run_per_task(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("minutely"), task("hourly", "0 * * * *", catch_up=0)) as bed:
        await settle()
        await bed.stop()
        bed.clock.jump(3 * 3600 + 30 * 60)
        bed.keeper.now = bed.clock.now()

        await bed.start()
        missed = [(await bed.until(EventKind.RUN_ENDED)).run for _ in range(2)]

        said = {run.task_name: run for run in missed if run is not None}
        assert {run.end_reason for run in said.values()} == {EndReason.MISSED}
        assert said["minutely"].message is not None
        assert said["hourly"].message is not None
        # 12:01 to 15:28; those of 15:29 and 15:30 are at most a minute late and run.
        assert said["minutely"].message.startswith("208 ticks went by between 2026-03-02 12:01:00")
        assert said["minutely"].scheduled_at == NOON + timedelta(hours=3, minutes=28)
        assert said["hourly"].message.startswith("3 ticks went by")
        ran = await bed.run((await bed.keeper.next_spawn()).run_id)
        bed.keeper.end(ran.id)
        then = await bed.run((await bed.keeper.next_spawn()).run_id)
        assert ran.scheduled_at == NOON + timedelta(hours=3, minutes=29)
        assert then.scheduled_at == NOON + timedelta(hours=3, minutes=30)


async def test_a_gap_is_told_once_however_often_the_server_restarts(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("hourly", "0 * * * *", catch_up=0)) as bed:
        await settle()
        await bed.stop()
        bed.clock.jump(2.5 * 3600)
        await bed.start()
        await bed.until(EventKind.RUN_ENDED)

        await bed.restart()
        await bed.restart()
        await settle()

        assert len(await bed.store.last_runs("hourly", 10)) == 1


async def test_a_new_task_and_a_changed_schedule_owe_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task("old")])
    await bed.start()
    await settle()
    await bed.stop()
    bed.clock.jump(3600)
    bed.config = Bed(tmp_path, [task("old", "*/2 * * * *"), task("new")]).config

    await bed.start()
    await bed.tick(2)

    assert await bed.store.latest_runs() == {}
    await bed.stop()


async def test_a_jump_ahead_while_running_makes_a_gap_and_no_flood(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("secondly", "* * * * * *", on_overlap=Overlap.SKIP)) as bed:
        await settle()
        bed.clock.jump(24 * 3600)
        await bed.tick(1)

        while (event := await bed.until(EventKind.RUN_ENDED)).run is not None:
            if event.run.end_reason is EndReason.MISSED:
                break
        assert event.run is not None
        assert event.run.message is not None
        assert event.run.message.startswith("more than 1000 ticks went by")
        assert len(await bed.store.last_runs("secondly", 200)) <= 63


async def test_a_jump_back_repeats_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        await settle()
        await bed.tick(60)
        await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_ENDED)

        bed.clock.jump(-50)
        await bed.tick(55)
        await bed.restart()
        await settle()
        await bed.tick(1)

        assert len(await bed.store.last_runs("job", 10)) == 1


async def test_a_clock_that_was_hours_ahead_does_not_silence_the_schedules(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        await settle()
        await bed.tick(60)
        await bed.until(EventKind.RUN_ENDED)
        bed.clock.jump(-5 * 3600)

        await bed.tick(60)
        run = await bed.until(EventKind.RUN_ENDED)

        assert run.run is not None
        assert run.run.scheduled_at == NOON + timedelta(minutes=2, hours=-5)


async def test_ticks_while_the_store_cannot_write_are_recorded_as_missed(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        bed.store.broken = True
        await bed.tick(60)
        await bed.until(EventKind.STORE_FAILED)
        await bed.tick(120)
        assert bed.keeper.spawns == []

        bed.store.broken = False
        bed.clock.advance(1)
        await bed.until(EventKind.STORE_HEALED)
        bed.clock.advance(1)
        missed = (await bed.until(EventKind.RUN_ENDED)).run

        assert missed is not None
        assert (missed.end_reason, missed.status) == (EndReason.MISSED, Status.ENDED)
        assert missed.message is not None
        assert missed.message.startswith("3 ticks went by")
        bed.keeper.at_once = True
        while not bed.keeper.spawns:
            bed.clock.advance(1)
            await asyncio.sleep(0.001)
        run = await bed.run(bed.keeper.spawns[0].run_id)
        assert run.scheduled_at == NOON + timedelta(minutes=4)


async def test_a_tick_that_a_killed_server_told_of_as_missed_is_not_run_by_the_next(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task()])
    await bed.start()
    await settle()
    bed.store.broken = True
    await bed.tick(60)
    await bed.until(EventKind.STORE_FAILED)
    bed.store.broken = False
    undecided = bed.store.hold("save_horizon")
    bed.clock.advance(1)
    await bed.until(EventKind.STORE_HEALED)
    bed.clock.advance(1)
    missed = (await bed.until(EventKind.RUN_ENDED)).run
    await undecided.reached.wait()

    await bed.crash()
    undecided.release.set()
    await bed.start()
    await bed.tick(60)

    spawn = await bed.keeper.next_spawn()
    assert missed is not None
    assert (missed.scheduled_at, missed.missed_ticks) == (NOON + timedelta(minutes=1), 1)
    assert (await bed.run(spawn.run_id)).scheduled_at == NOON + timedelta(minutes=2)
    assert len(bed.keeper.spawns) == 1
    await bed.stop()
