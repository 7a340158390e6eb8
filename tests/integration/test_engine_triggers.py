"""A trigger becomes a run, is admitted, runs, and its waiters hear of its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine_bed import NOON, Bed, bed_of, settle

from rota.model.error import Invalid, ManualTriggerOff, RunEnded, RunNotFound, ShuttingDown, TaskNotFound
from rota.model.event import EventKind
from rota.model.run import FAILURES, Cause, EndReason, RunId, Status, TriggeredBy
from rota.model.task import EnvBase, Overlap, Task
from rota.storage.conflict import KeyTaken
from rota.storage.requests import Request


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


async def test_a_trigger_runs_and_its_waiter_gets_the_end(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(exit_codes=frozenset({0, 3}))) as bed:
        run = await bed.trigger("job")
        waiter = asyncio.create_task(bed.engine.runs.wait(run.id, 60))
        spawn = await bed.keeper.next_spawn()
        bed.keeper.end(run.id, 3)

        ended = await waiter

        assert (ended.status, ended.end_reason, ended.exit_code) == (Status.ENDED, EndReason.SUCCESS, 3)
        assert ended == await bed.run(run.id)
        assert ended.start_at == NOON
        assert ended.pid == 4000
        assert spawn.argv == ("/bin/sh", "-e", "-c", "true")
        assert spawn.cwd == str(tmp_path)
        assert spawn.env["ROTA_TASK"] == "job"
        assert "ROTA_AUTH" not in spawn.env


@pytest.mark.parametrize(
    ("cause", "exit_code", "failures", "is_failure"),
    [
        (None, 0, FAILURES, False),
        (None, 1, FAILURES, True),
        (Cause.TIMEOUT, None, FAILURES, True),
        (Cause.STOPPED, None, FAILURES, False),
        (Cause.STOPPED, None, FAILURES | {EndReason.STOPPED}, True),
        (None, 1, {EndReason.TIMEOUT}, False),
    ],
)
async def test_an_end_is_judged_by_the_failures_of_its_task(
    tmp_path: Path, cause: Cause | None, exit_code: int | None, failures: set[EndReason], is_failure: bool
) -> None:
    async with bed_of(tmp_path, task(failures=frozenset(failures))) as bed:
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()

        bed.keeper.end(run.id, exit_code, cause=cause)
        await bed.until(EventKind.RUN_ENDED, run.id)

        assert (await bed.run(run.id)).is_failure is is_failure


async def test_a_run_that_was_turned_away_or_cancelled_is_judged_too(tmp_path: Path) -> None:
    unwanted = frozenset({EndReason.SKIPPED, EndReason.STOPPED})
    async with bed_of(
        tmp_path, task(on_overlap=Overlap.SKIP, failures=unwanted), task("queued", failures=unwanted)
    ) as bed:
        await bed.trigger("job")
        await bed.trigger("queued")
        waits = await bed.trigger("queued")

        skipped = await bed.trigger("job")
        cancelled = await bed.engine.runs.stop(waits.id, by="ann")

        assert (skipped.end_reason, skipped.is_failure) == (EndReason.SKIPPED, True)
        assert (cancelled.end_reason, cancelled.is_failure) == (EndReason.STOPPED, True)


async def test_every_change_is_told_once_and_in_order(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True

        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_ENDED, run.id)

        told = [event for event in bed.told if event.run is not None]
        assert [event.kind for event in told] == [EventKind.RUN_CREATED, EventKind.RUN_STARTED]
        assert [event.run.status for event in told if event.run] == [Status.PENDING, Status.RUNNING]


async def test_a_run_is_committed_as_handed_over_before_it_is_spawned(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")

        spawn = await bed.keeper.next_spawn()
        stored = await bed.run(run.id)

        assert stored.hand_over is not None
        assert stored.hand_over.attempt == spawn.attempt
        assert stored.hand_over.keeper_id == "keeper-1"
        assert stored.hand_over.boot_id == "boot-1"


async def test_an_end_is_acknowledged_after_its_commit(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        run = await bed.trigger("job")

        await bed.until(EventKind.RUN_ENDED, run.id)

        await bed.keeper.until_acknowledged(run.id)


async def test_a_start_is_told_while_the_run_goes_on(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")

        await bed.until(EventKind.RUN_STARTED, run.id)

        assert (await bed.run(run.id)).status is Status.RUNNING
        assert [one.id for one in bed.engine.runs.running("job")] == [run.id]
        assert bed.engine.runs.pending("job") == []


async def test_runs_over_the_limit_wait_and_start_in_their_order(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(max_concurrent=2)) as bed:
        runs = [await bed.trigger("job") for _ in range(5)]

        order = [(await bed.keeper.next_spawn()).run_id for _ in range(2)]
        for _ in range(3):
            bed.keeper.end(order[len(order) - 2])
            order.append((await bed.keeper.next_spawn()).run_id)

        assert order == [run.id for run in runs]


async def test_triggers_at_once_never_get_the_same_slot(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(max_queued=3)) as bed:
        runs = await asyncio.gather(*(bed.trigger("job") for _ in range(8)))

        handed = [run for run in runs if run.hand_over is not None]
        waiting = [run for run in runs if run.hand_over is None and run.status is Status.PENDING]
        full = [run for run in runs if run.end_reason is EndReason.QUEUE_FULL]
        assert (len(handed), len(waiting), len(full)) == (1, 3, 4)
        assert [run.id for run in bed.engine.runs.pending("job")] == [run.id for run in (*handed, *waiting)]
        assert {(await bed.run(run.id)).end_reason for run in full} == {EndReason.QUEUE_FULL}


async def test_skip_leaves_a_run_that_says_so(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.SKIP)) as bed:
        first = await bed.trigger("job")
        second = await bed.trigger("job")

        assert second.end_reason is EndReason.SKIPPED
        assert (await bed.until(EventKind.RUN_ENDED)).run == second
        assert [spawn.run_id for spawn in bed.keeper.spawns] == [first.id]


async def test_replace_stops_the_old_run_and_starts_the_new_one_after_its_end(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        old = await bed.trigger("job")
        await bed.keeper.next_spawn()
        new = await bed.trigger("job")

        stopped, _ = await bed.keeper.next_stop()
        assert stopped == old.id
        assert len(bed.keeper.spawns) == 1
        bed.keeper.end_stopped(old.id)

        assert (await bed.keeper.next_spawn()).run_id == new.id
        assert (await bed.run(old.id)).end_reason is EndReason.STOPPED


async def test_a_newer_replacement_ends_the_one_that_waits_as_skipped(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        old = await bed.trigger("job")
        await bed.keeper.next_spawn()
        second = await bed.trigger("job")
        third = await bed.trigger("job")

        ended = await bed.until(EventKind.RUN_ENDED)
        assert ended.run is not None
        assert (ended.run.id, ended.run.end_reason) == (second.id, EndReason.SKIPPED)
        bed.keeper.end_stopped(old.id)

        assert (await bed.keeper.next_spawn()).run_id == third.id
        assert bed.keeper.stops == [(old.id, "a newer run, which replaces it")]


async def test_a_burst_of_replacements_leaves_one_running_and_the_newest_waiting(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        runs = await asyncio.gather(*(bed.trigger("job") for _ in range(10)))

        for run in runs[1:-1]:
            ended = await bed.until(EventKind.RUN_ENDED, run.id)
            assert ended.run is not None
            assert ended.run.end_reason is EndReason.SKIPPED
        assert [stopped for stopped, _ in bed.keeper.stops] == [runs[0].id]
        assert [run.id for run in bed.engine.runs.pending("job")][-1] == runs[-1].id


async def test_a_waiting_run_is_cancelled(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await bed.trigger("job")
        second = await bed.trigger("job")
        third = await bed.trigger("job")

        cancelled = await bed.engine.runs.stop(second.id, by="api")
        await bed.keeper.next_spawn()
        bed.keeper.end(first.id)

        assert (cancelled.status, cancelled.end_reason) == (Status.ENDED, EndReason.STOPPED)
        assert cancelled.message == "cancelled by api"
        assert (await bed.keeper.next_spawn()).run_id == third.id


async def test_a_running_run_is_stopped_by_the_keeper(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)

        asked = await bed.engine.runs.stop(run.id, by="cli")
        assert await bed.keeper.next_stop() == (run.id, "cli")
        bed.keeper.end_stopped(run.id)

        assert asked.status is Status.RUNNING
        assert (await bed.engine.runs.wait(run.id, 60)).end_reason is EndReason.STOPPED


async def test_an_ended_run_cannot_be_stopped(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.at_once = True
        run = await bed.trigger("job")
        await bed.engine.runs.wait(run.id, 60)

        with pytest.raises(RunEnded):
            await bed.engine.runs.stop(run.id, by="api")
        with pytest.raises(RunNotFound):
            await bed.engine.runs.stop(RunId("01890000-0000-7000-8000-000000000000"), by="api")
        with pytest.raises(RunNotFound):
            await bed.engine.runs.wait(RunId("01890000-0000-7000-8000-000000000000"), 1)


async def test_a_wait_that_is_over_gives_the_run_as_it_stands(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.until(EventKind.RUN_STARTED, run.id)

        waited = await bed.engine.runs.wait(run.id, 0.01)

        assert waited.status is Status.RUNNING


async def test_ten_thousand_wait_at_once(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        waiters = [asyncio.ensure_future(bed.engine.runs.wait(run.id, 60)) for _ in range(10_000)]
        await bed.keeper.next_spawn()

        bed.keeper.end(run.id)
        ended = await asyncio.gather(*waiters)

        assert {one.end_reason for one in ended} == {EndReason.SUCCESS}


async def test_a_caller_who_goes_away_does_not_take_the_run_with_him(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        caller = asyncio.create_task(bed.trigger("job"))
        await asyncio.sleep(0)
        caller.cancel()

        spawn = await bed.keeper.next_spawn()

        with pytest.raises(asyncio.CancelledError):
            await caller
        assert (await bed.run(spawn.run_id)).hand_over is not None


async def test_refused_triggers_change_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(), task("fixed", manual_trigger=False)) as bed:
        with pytest.raises(TaskNotFound, match="did you mean 'job'"):
            await bed.trigger("jobb")
        with pytest.raises(ManualTriggerOff):
            await bed.trigger("fixed")
        with pytest.raises(Invalid) as invalid:
            await bed.engine.triggering.trigger(
                "job", triggered_by=TriggeredBy.API, params={"a": "1", "b": None}
            )

        assert [fault.location for fault in invalid.value.faults] == ["body.params.a", "body.params.b"]
        assert await bed.store.open_runs() == []


async def test_a_key_that_is_taken_gives_its_slot_back(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        request = Request(
            key="k", method="POST", path="/", body_hash="", run_id=RunId(""), status_code=0, at=NOON
        )
        first = await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, request=request)
        await bed.keeper.next_spawn()
        bed.keeper.end(first.id)
        await bed.engine.runs.wait(first.id, 60)

        with pytest.raises(KeyTaken) as taken:
            await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, request=request)
        after = await bed.trigger("job")

        assert (taken.value.request.run_id, taken.value.request.status_code) == (first.id, 201)
        assert after.hand_over is not None


async def test_the_recorded_answer_of_a_skipped_trigger_is_409(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.SKIP)) as bed:
        request = Request(
            key="k", method="POST", path="/", body_hash="", run_id=RunId(""), status_code=0, at=NOON
        )
        await bed.trigger("job")

        skipped = await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, request=request)

        recorded = await bed.store.request("k")
        assert (recorded.run_id, recorded.status_code) == (skipped.id, 409)


async def test_a_run_that_the_keeper_cannot_start_now_stays_pending_and_goes_when_another_ends(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(), task("other")) as bed:
        other = await bed.trigger("other")
        await bed.keeper.next_spawn()
        bed.keeper.refusing = True
        run = await bed.trigger("job")
        refused = await bed.keeper.next_spawn()
        bed.keeper.refusing = False
        bed.keeper.end(other.id)

        again = await bed.keeper.next_spawn()

        assert refused.run_id == again.run_id == run.id
        assert refused.attempt != again.attempt
        bed.keeper.end(run.id)
        assert (await bed.engine.runs.wait(run.id, 60)).end_reason is EndReason.SUCCESS


async def test_a_refused_run_is_tried_again_after_a_while(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.refusing = True
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        bed.keeper.refusing = False
        await settle()
        bed.clock.advance(1)

        again = await bed.keeper.next_spawn()

        assert again.run_id == run.id


async def test_a_refused_run_that_was_stopped_is_not_tried_again(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.refusing = True
        run = await bed.trigger("job")
        await bed.engine.runs.stop(run.id, by="api")

        ended = await bed.engine.runs.wait(run.id, 60)

        assert ended.end_reason is EndReason.STOPPED
        assert ended.start_at is None
        assert len(bed.keeper.spawns) == 1


async def test_a_stop_leaves_runs_alone_and_sends_waiters_away_with_what_stands(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task()])
    await bed.start()
    run = await bed.trigger("job")
    await bed.until(EventKind.RUN_STARTED, run.id)
    waiter = asyncio.create_task(bed.engine.runs.wait(run.id, 60))
    await asyncio.sleep(0)

    await bed.engine.stop()

    assert (await waiter).status is Status.RUNNING
    assert bed.keeper.stops == []
    with pytest.raises(ShuttingDown):
        await bed.trigger("job")
    await bed.engine.stop()
    await bed.stop()


async def test_a_shutdown_ends_every_run_and_the_keeper_and_records_it(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task(max_queued=1)])
    await bed.start()
    run, waiting = await bed.trigger("job"), await bed.trigger("job")
    await bed.until(EventKind.RUN_STARTED, run.id)

    await bed.engine.shutdown()

    assert bed.keeper.gone
    assert (await bed.run(run.id)).end_reason is EndReason.STOPPED
    assert (await bed.run(waiting.id)).end_reason is EndReason.STOPPED
    await bed.stop()


async def test_stopping_before_starting_is_fine(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task()])
    await bed.start()
    await bed.stop()
    await bed.engine.shutdown()


async def test_a_clean_environment_is_what_a_login_finds(tmp_path: Path) -> None:
    clean = Task(name="job", run="true", env_base=EnvBase.CLEAN, env={"A": "1"})
    async with bed_of(tmp_path, clean) as bed:
        await bed.trigger("job")

        spawn = await bed.keeper.next_spawn()
        own = {name for name in spawn.env if not name.startswith("ROTA_")}
        assert own == {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", "A"}
