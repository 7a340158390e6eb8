"""Runs that have a time: caught up, too late, spread by jitter, asked for later, at the keeper's start."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from engine_bed import NOON, Bed, FakeKeeper, bed_of, settle

from rota.model.error import Invalid
from rota.model.event import EventKind
from rota.model.run import EndReason, Run, Status, TriggeredBy
from rota.model.task import Overlap, Task

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def task(name: str = "job", *cron: str, **fields: object) -> Task:
    return Task(name=name, run="true", cron=cron or ("0 * * * *",), **fields)  # type: ignore[arg-type]


async def away(bed: Bed, hours: float) -> None:
    """The server is down for so long."""
    await bed.stop()
    bed.clock.jump(hours * 3600)
    bed.keeper.now = bed.clock.now()
    await bed.start()


async def runs(bed: Bed, name: str = "job") -> list[Run]:
    """Oldest first."""
    return list(reversed(await bed.store.last_runs(name, 1000)))


async def later(bed: Bed, minutes: float, name: str = "job") -> Run:
    at = bed.clock.now() + minutes * MINUTE
    return await bed.engine.triggering.trigger(name, triggered_by=TriggeredBy.API, at=at)


async def test_after_a_gap_the_newest_tick_runs_and_one_run_says_how_many_went_by(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()

        await away(bed, 5.5)

        caught_up = await bed.run((await bed.keeper.next_spawn()).run_id)
        assert (caught_up.triggered_by, caught_up.scheduled_at) == (TriggeredBy.CATCH_UP, NOON + 5 * HOUR)
        missed, _ = await runs(bed)
        assert (missed.end_reason, missed.missed_ticks) == (EndReason.MISSED, 5)
        assert (missed.missed_since, missed.scheduled_at) == (NOON + HOUR, NOON + 5 * HOUR)
        assert missed.message is not None
        assert missed.message.endswith(" UTC: Rota was not running; the newest is run now")


async def test_more_ticks_are_caught_up_one_after_the_other_oldest_first(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(catch_up=3)) as bed:
        bed.keeper.at_once = True
        await settle()

        await away(bed, 5.5)

        spawned = [(await bed.keeper.next_spawn()).env["ROTA_SCHEDULED_AT"] for _ in range(3)]
        assert spawned == [f"2026-03-02T{hour}:00:00Z" for hour in (15, 16, 17)]
        await settle()
        assert len(bed.keeper.spawns) == 3


async def test_of_more_ticks_than_can_wait_the_newest_are_caught_up(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(catch_up=5, max_queued=1)) as bed:
        bed.keeper.at_once = True
        await settle()

        await away(bed, 5.5)

        spawned = [(await bed.keeper.next_spawn()).env["ROTA_SCHEDULED_AT"] for _ in range(2)]
        assert spawned == [f"2026-03-02T{hour}:00:00Z" for hour in (16, 17)]
        missed, *_ = await runs(bed)
        assert (missed.message or "").endswith("the newest 2 are run now")
        assert {run.end_reason for run in (await runs(bed))[1:]} <= {EndReason.SUCCESS, None}


async def test_what_a_gap_owes_is_spread_by_jitter_as_far_as_its_time_is_still_to_come(
    tmp_path: Path,
) -> None:
    tasks = [task(f"job-{n}", jitter=HOUR) for n in range(20)]
    async with bed_of(tmp_path, *tasks) as bed:
        await settle()

        await away(bed, 3.5)
        created = [(await bed.until(EventKind.RUN_CREATED)).run for _ in range(40)]

        owed = [run for run in created if run is not None and run.triggered_by is TriggeredBy.CATCH_UP]
        early = [run for run in owed if run.due_at is not None]
        assert 0 < len(early) < 20
        assert all(run.due_at and run.due_at > bed.clock.now() for run in early)
        await bed.settled()
        assert {spawn.run_id for spawn in bed.keeper.spawns} == {run.id for run in owed if run.due_at is None}


async def test_a_tick_that_ran_is_not_caught_up_though_its_horizon_was_lost(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        await settle()
        horizon = bed.store.hold("save_horizon")
        await bed.tick(3600)
        await bed.keeper.next_spawn()
        await horizon.reached.wait()
        await bed.crash()
        bed.clock.jump(1800)

        await bed.start()
        await bed.tick(1800)
        await bed.keeper.next_spawn()
        await bed.settled()

        runs = await bed.store.last_runs("job", 10)
        at = [NOON + timedelta(hours=2), NOON + timedelta(hours=1)]
        assert [(run.scheduled_at, run.triggered_by) for run in runs] == [
            (tick, TriggeredBy.CRON) for tick in at
        ]
        assert len(bed.keeper.spawns) == 2


async def test_a_suspended_machine_owes_what_it_slept_through_and_a_clock_set_ahead_does_not(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        bed.clock.suspend(5.5 * 3600)
        await bed.tick(1)

        spawn = await bed.keeper.next_spawn()
        assert (await bed.run(spawn.run_id)).triggered_by is TriggeredBy.CATCH_UP
        bed.keeper.end(spawn.run_id)

        bed.clock.jump(5 * 3600)
        await bed.tick(3)
        while (event := await bed.until(EventKind.RUN_ENDED)).run is not None:
            if event.run.end_reason is EndReason.MISSED and "set ahead" in (event.run.message or ""):
                break
        await settle()
        assert len(bed.keeper.spawns) == 1


@pytest.mark.parametrize("between", ["disabled", "gone", "another"])
async def test_time_in_which_a_task_had_no_such_schedule_is_not_owed(tmp_path: Path, between: str) -> None:
    bed = Bed(tmp_path, [task()])
    await bed.start()
    await settle()
    other = {"disabled": [task(enabled=False)], "gone": [], "another": [task("job", "30 * * * *")]}[between]
    usual = bed.config
    await bed.stop()
    bed.config = Bed(tmp_path, other).config
    await bed.start()
    bed.clock.jump(5.2 * 3600)  # no look of the scheduler, and so no horizon, between
    await bed.crash()
    bed.config = usual

    await bed.start()
    await bed.tick(2)

    assert await runs(bed) == []
    await bed.stop()


async def test_what_has_not_started_by_its_deadline_is_missed_out_of_the_queue(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", "* * * * *", start_deadline=3 * MINUTE)) as bed:
        await settle()
        await bed.tick(60)
        first = await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_CREATED)
        await bed.until(EventKind.RUN_STARTED)
        await bed.tick(60)
        await bed.until(EventKind.RUN_CREATED)
        assert len(bed.engine.runs.pending("job")) == 1

        await bed.tick(180)
        ended = (await bed.until(EventKind.RUN_ENDED)).run

        assert ended is not None
        assert (ended.scheduled_at, ended.end_reason) == (NOON + 2 * MINUTE, EndReason.MISSED)
        assert ended.message == "it had not started within its start_deadline of 3m"
        assert ended.missed_ticks is None
        bed.keeper.end(first.run_id)
        assert (await bed.run((await bed.keeper.next_spawn()).run_id)).scheduled_at == NOON + 3 * MINUTE


async def test_a_tick_that_is_found_after_its_deadline_does_not_start(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", "* * * * *", start_deadline=timedelta(seconds=10))) as bed:
        await settle()

        await away(bed, 80 / 3600)
        await bed.until(EventKind.RUN_ENDED)

        (only,) = await runs(bed)
        assert (only.scheduled_at, only.end_reason) == (NOON + MINUTE, EndReason.MISSED)
        assert bed.keeper.spawns == []


async def test_a_deadline_ends_a_run_that_no_keeper_could_start_and_frees_its_slot(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", "* * * * *", start_deadline=30 * MINUTE / 60)) as bed:
        await settle()
        bed.keeper.refusing = True
        await bed.tick(60)
        await bed.keeper.next_spawn()

        while not (ended := [one for one in await runs(bed) if one.status is Status.ENDED]):
            await bed.tick(1)
            await asyncio.sleep(0.001)

        assert ended[0].end_reason is EndReason.MISSED


async def test_jitter_puts_off_the_start_and_leaves_the_tick_where_it_is(tmp_path: Path) -> None:
    tasks = [task(f"job-{n}", jitter=10 * MINUTE) for n in range(20)]
    async with bed_of(tmp_path, *tasks) as bed:
        await settle()
        await bed.tick(3600)
        created = [(await bed.until(EventKind.RUN_CREATED)).run for _ in tasks]

        due = {run.task_name: run.due_at for run in created if run is not None and run.due_at is not None}
        assert len(due) == 20
        assert {run.scheduled_at for run in created if run is not None} == {NOON + HOUR}
        assert bed.engine.runs.pending("job-0") == []

        for _ in range(601):
            await bed.tick(1)
            for spawn in bed.keeper.spawns:
                assert due[spawn.env["ROTA_TASK"]] <= bed.clock.now()
        spawned = [(await bed.keeper.next_spawn()).env["ROTA_TASK"] for _ in tasks]
        assert len(set(spawned)) == 20


async def test_a_run_for_later_holds_no_slot_and_starts_at_its_time_over_a_restart(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", on_overlap=Overlap.SKIP)) as bed:
        await settle()
        run = await later(bed, 10)
        assert (run.status, run.scheduled_at, run.triggered_by) == (
            Status.PENDING,
            NOON + 10 * MINUTE,
            TriggeredBy.API,
        )

        other = await bed.trigger("job")
        assert other.status is Status.PENDING  # not skipped: the slot is free
        bed.keeper.end((await bed.keeper.next_spawn()).run_id)
        await bed.until(EventKind.RUN_ENDED)
        await away(bed, 9 / 60)
        await settle()
        assert len(bed.keeper.spawns) == 1
        await bed.tick(60)

        assert (await bed.keeper.next_spawn()).run_id == run.id


async def test_a_run_for_later_that_comes_due_is_admitted_like_any_other(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("skip", on_overlap=Overlap.SKIP), task("full", max_queued=0)) as bed:
        await settle()
        asked = [await later(bed, 1, name) for name in ("skip", "full")]
        for name in ("skip", "full"):
            await bed.trigger(name)

        await bed.tick(61)

        ended = [(await bed.until(EventKind.RUN_ENDED, run.id)).run for run in asked]
        assert [run.end_reason for run in ended if run] == [EndReason.SKIPPED, EndReason.QUEUE_FULL]


async def test_a_run_for_later_that_was_due_while_the_server_was_away_starts_then(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        run = await later(bed, 10)

        await away(bed, 0.5)

        assert (await bed.keeper.next_spawn()).run_id == run.id


async def test_a_run_for_later_can_be_cancelled(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await settle()
        run = await later(bed, 10)

        cancelled = await bed.engine.runs.stop(run.id, by="me")
        await bed.tick(700)

        assert (cancelled.end_reason, cancelled.message) == (EndReason.STOPPED, "cancelled by me")
        assert bed.keeper.spawns == []


async def test_a_run_for_the_instant_of_a_tick_does_not_take_the_tick(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        await settle()
        await later(bed, 60)
        await later(bed, 60)

        await bed.tick(3600)

        spawned = [await bed.run((await bed.keeper.next_spawn()).run_id) for _ in range(3)]
        assert {run.scheduled_at for run in spawned} == {NOON + HOUR}
        assert sorted(run.triggered_by for run in spawned) == ["api", "api", "cron"]


async def test_a_moment_that_is_over_is_refused(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        with pytest.raises(Invalid) as told:
            await later(bed, -2)

        assert [fault.location for fault in told.value.faults] == ["body.at"]


async def test_a_run_on_start_comes_with_each_keeper_and_not_with_each_server(tmp_path: Path) -> None:
    async with bed_of(
        tmp_path, task("job", run_on_start=True), task("off", run_on_start=True, enabled=False)
    ) as bed:
        first = await bed.run((await bed.keeper.next_spawn()).run_id)
        assert (first.triggered_by, first.scheduled_at) == (TriggeredBy.STARTUP, None)
        bed.keeper.end(first.id)

        await bed.restart()
        await bed.crash()
        await bed.start()
        await settle()
        assert len(bed.keeper.spawns) == 1

        bed.keeper, old = FakeKeeper(keeper_id="keeper-2"), bed.keeper
        old.die()
        second = await bed.keeper.next_spawn()
        assert (await bed.run(second.run_id)).triggered_by is TriggeredBy.STARTUP
        assert len(await runs(bed)) == 2
        assert await runs(bed, "off") == []


async def test_a_run_on_start_does_not_overlap_with_the_lost_one_of_the_keeper_before(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", run_on_start=True, on_overlap=Overlap.SKIP)) as bed:
        first = await bed.keeper.next_spawn()
        await bed.until(EventKind.RUN_STARTED, first.run_id)

        bed.keeper, old = FakeKeeper(keeper_id="keeper-2"), bed.keeper
        old.die()

        second = await bed.keeper.next_spawn()
        assert (await bed.run(first.run_id)).end_reason is EndReason.LOST
        assert second.run_id != first.run_id


async def test_a_store_that_cannot_be_written_puts_off_the_runs_on_start(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("job", run_on_start=True)) as bed:
        first = await bed.keeper.next_spawn()
        bed.keeper.end(first.run_id)
        await bed.until(EventKind.RUN_ENDED, first.run_id)
        bed.store.broken = True
        bed.keeper, old = FakeKeeper(keeper_id="keeper-2"), bed.keeper
        old.die()
        await bed.until(EventKind.STORE_FAILED)
        assert bed.keeper.spawns == []

        bed.store.broken = False
        while not bed.keeper.spawns:
            bed.clock.advance(1)
            await asyncio.sleep(0.001)

        assert len(await runs(bed)) == 2
