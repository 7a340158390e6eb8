"""What survives: open runs meet the next server or the next keeper, and none starts twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from engine_bed import NOON, Bed, FakeKeeper, bed_of, settle

from rota.keeper.journal import Journal
from rota.keeper.protocol import encode
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import EndReason, HandOver, Run, RunId, Status, TriggeredBy
from rota.model.task import Overlap, Task
from rota.storage.store import Store


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


def pending(number: int = 1, **fields: object) -> Run:
    run = Run(
        id=RunId(f"01890000-0000-7000-8000-{number:012}"),
        task_name="job",
        triggered_by=TriggeredBy.API,
        created_at=NOON,
    )
    return replace(run, **fields)  # type: ignore[arg-type]


async def left_behind(data: Path, *runs: Run) -> None:
    """What a server that was killed has committed."""
    store = Store.open(data)
    for run in runs:
        await store.create(run)
    await store.close()


async def test_a_run_that_goes_on_without_the_server_ends_under_the_next(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)

        await bed.restart()
        assert [one.id for one in bed.engine.runs.running("job")] == [run.id]
        bed.keeper.end(run.id, 7)

        ended = await bed.engine.runs.wait(run.id, 60)
        assert (ended.end_reason, ended.exit_code) == (EndReason.FAILED, 7)
        assert len(bed.keeper.spawns) == 1


async def test_a_run_that_ended_while_no_server_was_there_has_its_true_end(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        await bed.stop()
        bed.keeper.end(run.id, 7)

        await bed.start()
        ended = await bed.engine.runs.wait(run.id, 60)
        await settle()

        assert (ended.end_reason, ended.exit_code, ended.end_at) == (EndReason.FAILED, 7, NOON)
        await bed.keeper.until_acknowledged(run.id)


async def test_pending_runs_stay_pending_and_start_in_their_order(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        runs = [await bed.trigger("job") for _ in range(3)]
        await bed.keeper.next_spawn()

        await bed.restart()
        assert [run.id for run in bed.engine.runs.pending("job")][-2:] == [runs[1].id, runs[2].id]
        bed.keeper.end(runs[0].id)
        second = await bed.keeper.next_spawn()
        bed.keeper.end(runs[1].id)
        third = await bed.keeper.next_spawn()

        assert [second.run_id, third.run_id] == [runs[1].id, runs[2].id]


async def test_a_server_killed_between_commit_and_spawn_spawns_the_same_attempt(tmp_path: Path) -> None:
    hand_over = HandOver(attempt="token", keeper_id="keeper-1", boot_id="boot-1")
    await left_behind(tmp_path, pending(hand_over=hand_over))

    async with bed_of(tmp_path, task()) as bed:
        spawn = await bed.keeper.next_spawn()

        assert (spawn.run_id, spawn.attempt) == (pending().id, "token")


async def test_a_run_of_another_keeper_is_lost_and_not_started_again(tmp_path: Path) -> None:
    gone = HandOver(attempt="token", keeper_id="keeper-0", boot_id="boot-1")
    await left_behind(tmp_path, pending(hand_over=gone))

    async with bed_of(tmp_path, task()) as bed:
        lost = await bed.until(EventKind.RUN_ENDED, pending().id)

        assert lost.run is not None
        assert lost.run.end_reason is EndReason.LOST
        assert bed.keeper.spawns == []


async def test_a_run_from_before_the_last_boot_says_so(tmp_path: Path) -> None:
    before = HandOver(attempt="token", keeper_id="keeper-1", boot_id="boot-0")
    await left_behind(tmp_path, pending(hand_over=before))

    async with bed_of(tmp_path, task()) as bed:
        lost = await bed.until(EventKind.RUN_ENDED, pending().id)

        assert lost.run is not None
        assert lost.run.message == "the machine was restarted while it ran"


async def test_a_run_whose_keeper_left_its_exit_on_file_has_that_end(tmp_path: Path) -> None:
    gone = HandOver(attempt="token", keeper_id="keeper-0", boot_id="boot-1")
    await left_behind(tmp_path, pending(hand_over=gone))
    about = {"event": "ended", "run": pending().id, "attempt": "token", "pid": 12, "start_at": 1_000_000}
    end = {
        "end_at": 3_000_000, "duration": 2.0, "cause": None, "exit_code": 0, "signal": None, "cpu_time": 0.5,
        "max_rss": None, "message": None, "leftovers": [],
    }  # fmt: skip
    Journal(str(tmp_path)).add(pending().id, encode({**about, **end}))

    async with bed_of(tmp_path, task()) as bed:
        ended = await bed.until(EventKind.RUN_ENDED, pending().id)
        await settle()

        assert ended.run is not None
        assert (ended.run.end_reason, ended.run.pid) == (EndReason.SUCCESS, 12)
        await bed.keeper.until_acknowledged(pending().id)


async def test_runs_of_a_task_that_is_gone_do_not_wait_for_ever(tmp_path: Path) -> None:
    handed = HandOver(attempt="token", keeper_id="keeper-1", boot_id="boot-1")
    await left_behind(tmp_path, pending(1), pending(2, hand_over=handed))

    async with bed_of(tmp_path, task("another")) as bed:
        ended = [await bed.until(EventKind.RUN_ENDED, pending(number).id) for number in (1, 2)]

        assert {event.run.end_reason for event in ended if event.run} == {EndReason.STOPPED}
        assert bed.keeper.spawns == []


async def test_a_replacement_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        old = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, old.id)
        new = await bed.trigger("job")
        await bed.keeper.next_stop()

        await bed.restart()
        stopped, _ = await bed.keeper.next_stop()
        bed.keeper.end_stopped(old.id)

        assert stopped == old.id
        spawns = [await bed.keeper.next_spawn(), await bed.keeper.next_spawn()]
        assert [spawn.run_id for spawn in spawns] == [old.id, new.id]


async def test_when_the_keeper_dies_its_runs_are_lost_once_and_new_ones_work(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        waiting = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        dead, bed.keeper = bed.keeper, FakeKeeper(keeper_id="keeper-2")

        dead.die()
        await bed.until(EventKind.KEEPER_LOST)
        lost = await bed.until(EventKind.RUN_ENDED, run.id)
        await bed.until(EventKind.KEEPER_READY)
        spawn = await bed.keeper.next_spawn()

        assert lost.run is not None
        assert lost.run.end_reason is EndReason.LOST
        assert spawn.run_id == waiting.id
        bed.keeper.end(waiting.id)
        assert (await bed.engine.runs.wait(waiting.id, 60)).end_reason is EndReason.SUCCESS


async def test_a_trigger_without_a_keeper_waits_for_one(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.connects = False
        bed.keeper.die()
        await bed.until(EventKind.KEEPER_LOST)
        assert not bed.engine.healthy.ok

        run = await bed.trigger("job")
        assert run.hand_over is None
        bed.reconnect(FakeKeeper(keeper_id="keeper-2"))

        spawn = await bed.keeper.next_spawn()
        assert spawn.run_id == run.id
        stored = await bed.run(run.id)
        assert stored.hand_over is not None
        assert stored.hand_over.keeper_id == "keeper-2"
        assert bed.engine.healthy.ok


async def test_a_connection_that_is_cut_loses_no_run_of_a_keeper_that_lives(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        await bed.engine.runs.stop(run.id, by="api")
        await bed.until(EventKind.KEEPER_READY)
        assert bed.keeper.link is not None

        bed.keeper.link.cut()
        await bed.until(EventKind.KEEPER_READY)

        # What was asked of it may have been lost with the connection: it is asked again.
        assert [await bed.keeper.next_stop() for _ in range(2)] == [(run.id, "api")] * 2
        bed.keeper.end_stopped(run.id)
        assert (await bed.engine.runs.wait(run.id, 60)).end_reason is EndReason.STOPPED
        assert len(bed.keeper.spawns) == 1


async def test_a_run_committed_for_a_keeper_that_died_meanwhile_goes_to_the_next(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        dead, bed.keeper = bed.keeper, FakeKeeper(keeper_id="keeper-2")
        hold = bed.store.hold("create")
        trigger = asyncio.create_task(bed.trigger("job"))
        await hold.reached.wait()
        dead.die()
        await bed.until(EventKind.KEEPER_LOST)
        hold.release.set()

        run = await trigger
        spawn = await bed.keeper.next_spawn()

        assert dead.spawns == []
        assert spawn.run_id == run.id
        assert run.hand_over is not None
        assert spawn.attempt != run.hand_over.attempt


async def test_a_run_that_only_the_keeper_knows_is_stopped(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task()])
    hand_over = HandOver(attempt="token", keeper_id="keeper-1", boot_id="boot-1")
    await left_behind(tmp_path, pending(hand_over=hand_over))
    await bed.start()
    await bed.keeper.next_spawn()
    await bed.stop()
    (tmp_path / "rota.db").unlink()

    await bed.start()

    assert [run_id for run_id, _ in bed.keeper.stops] == [pending().id]
    bed.keeper.end_stopped(pending().id)
    await settle()
    await bed.keeper.until_acknowledged(pending().id)
    await bed.stop()


async def test_ends_stay_with_the_keeper_until_the_store_can_write(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        waiting = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        bed.store.broken = True

        bed.keeper.end(run.id)
        await bed.until(EventKind.STORE_FAILED)
        with pytest.raises(StoreUnavailable):
            await bed.trigger("job")
        health = bed.engine.healthy
        assert (health.ok, health.problems) == (False, ["the database cannot be written: disk full"])
        assert bed.keeper.acknowledged == set()
        bed.clock.advance(1)
        await settle()
        bed.store.broken = False
        bed.clock.advance(1)

        ended = await bed.until(EventKind.RUN_ENDED, run.id)
        assert ended.run is not None
        assert ended.run.end_reason is EndReason.SUCCESS
        await bed.until(EventKind.STORE_HEALED)
        assert (await bed.keeper.next_spawn()).run_id == run.id
        assert (await bed.keeper.next_spawn()).run_id == waiting.id
        assert bed.engine.healthy.ok
        await bed.keeper.until_acknowledged(run.id)


async def test_a_trigger_that_cannot_be_written_gives_its_slot_back(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.store.broken = True
        with pytest.raises(StoreUnavailable):
            await bed.trigger("job")
        bed.store.broken = False
        bed.clock.advance(1)
        await bed.until(EventKind.STORE_HEALED)

        run = await bed.trigger("job")

        assert run.hand_over is not None
        assert [spawn.run_id for spawn in bed.keeper.spawns] == [run.id]


async def test_a_replacement_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)
        bed.store.broken = True

        with pytest.raises(StoreUnavailable):
            await bed.trigger("job")

        assert bed.keeper.stops == []
        assert (await bed.run(run.id)).status is Status.RUNNING


async def test_a_stop_while_the_hand_over_is_written_keeps_the_run_from_starting(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first, second = await bed.trigger("job"), await bed.trigger("job")
        await bed.keeper.next_spawn()
        hold = bed.store.hold("move", lambda before, after: after.hand_over is not before.hand_over)
        bed.keeper.end(first.id)
        await hold.reached.wait()

        await bed.engine.runs.stop(second.id, by="api")
        hold.release.set()
        ended = await bed.engine.runs.wait(second.id, 60)

        assert ended.end_reason is EndReason.STOPPED
        assert len(bed.keeper.spawns) == 1
