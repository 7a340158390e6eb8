"""A run that fails is tried again: its attempt is written with the failure, waits, goes first, survives."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from engine_bed import NOON, PATIENCE, Bed, FakeKeeper, bed_of, settle

from rota.model.error import RunEnded
from rota.model.event import EventKind
from rota.model.param import Param, ParamKind, ParamType
from rota.model.retry import Retry
from rota.model.run import Cause, EndReason, Run, RunId, Status, TriggeredBy, WaitKind
from rota.model.task import Overlap, Task
from rota.storage.requests import Request

DELAY = timedelta(seconds=30)


def task(name: str = "job", *, attempts: int = 3, delay: timedelta = DELAY, **fields: object) -> Task:
    return Task(name=name, run="true", retry=Retry(attempts=attempts, delay=delay), **fields)  # type: ignore[arg-type]


async def failed(bed: Bed, run_id: RunId, exit_code: int | None = 1, cause: Cause | None = None) -> Run:
    """The run as it has failed."""
    bed.keeper.end(run_id, exit_code, cause=cause)
    return (await bed.until(EventKind.RUN_ENDED, run_id)).run  # type: ignore[return-value]


async def attempt_after(bed: Bed, run: Run) -> Run:
    """The attempt that follows a failed run, which it names."""
    assert run.next_attempt_run_id is not None
    return await bed.run(run.next_attempt_run_id)


async def started_and_failed(bed: Bed, task_name: str = "job") -> Run:
    run = await bed.trigger(task_name)
    await bed.keeper.next_spawn()
    return await failed(bed, run.id)


async def gone(bed: Bed, run_id: RunId) -> None:
    """Wait until the sweeper has deleted the run."""
    async with asyncio.timeout(PATIENCE):
        while await bed.store.run(run_id) is not None:
            await bed.tick()


async def test_an_attempt_is_pending_until_its_delay_is_over_and_then_starts(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)

        second = await attempt_after(bed, first)
        created = await bed.until(EventKind.RUN_CREATED, second.id)
        assert created.run is not None
        assert created.run.waiting_for is not None
        assert created.run.waiting_for.kind is WaitKind.TIME
        assert (second.status, second.scheduled_at) == (Status.PENDING, NOON + DELAY)
        assert (second.retry_attempt, second.retry_of_run_id) == (1, first.id)
        await bed.tick(29)
        assert len(bed.keeper.spawns) == 1
        await bed.tick(1)

        spawn = await bed.keeper.next_spawn()
        assert spawn.run_id == second.id
        assert spawn.env["ROTA_ATTEMPT"] == "2"
        assert "ROTA_SCHEDULED_AT" not in spawn.env
        assert bed.keeper.spawns[0].env["ROTA_ATTEMPT"] == "1"


async def test_the_failure_and_its_attempt_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        bed.store.broken = True

        bed.keeper.end(run.id, 1)
        await settle()

        assert [each.status for each in await bed.store.open_runs()] == [Status.PENDING]
        assert not bed.keeper.acknowledged
        bed.store.broken = False
        await bed.tick(2)
        first = (await bed.until(EventKind.RUN_ENDED, run.id)).run
        assert first is not None
        assert (await attempt_after(bed, first)).status is Status.PENDING


async def test_attempts_end_with_a_success_or_when_they_are_used_up(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(delay=timedelta())) as bed:
        first = await started_and_failed(bed)
        second = await bed.keeper.next_spawn()
        middle = await failed(bed, second.run_id)
        third = await bed.keeper.next_spawn()
        last = await failed(bed, third.run_id)

        assert (middle.retry_of_run_id, last.retry_of_run_id) == (first.id, first.id)
        assert [run.next_attempt_run_id for run in (first, middle, last)] == [middle.id, last.id, None]
        assert await bed.store.open_runs() == []


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.LOG_OVERFLOW])
async def test_what_the_keeper_ended_by_itself_is_tried_again(tmp_path: Path, cause: Cause) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()

        ended = await failed(bed, run.id, None, cause)

        assert ended.next_attempt_run_id is not None


async def test_what_somebody_stopped_is_not_tried_again_however_it_ends(tmp_path: Path) -> None:
    failures = frozenset(EndReason) - {EndReason.SUCCESS}
    async with bed_of(tmp_path, task(failures=failures), task("other")) as bed:
        stopped, failing = await bed.trigger("job"), await bed.trigger("other")
        for run in (stopped, failing):
            await bed.keeper.next_spawn()
            await bed.engine.runs.stop(run.id, by="ann")

        bed.keeper.end_stopped(stopped.id)
        bed.keeper.end(failing.id, 1)

        for run in (stopped, failing):
            ended = (await bed.until(EventKind.RUN_ENDED, run.id)).run
            assert ended is not None
            assert ended.next_attempt_run_id is None


async def test_an_attempt_can_be_cancelled_in_its_delay(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)
        second = await attempt_after(bed, first)

        with pytest.raises(RunEnded, match=f"it failed and is tried again as run {second.id}"):
            await bed.engine.runs.stop(first.id, by="ann")
        cancelled = await bed.engine.runs.stop(second.id, by="ann")

        assert (cancelled.end_reason, cancelled.next_attempt_run_id) == (EndReason.STOPPED, None)
        await bed.tick(60)
        assert len(bed.keeper.spawns) == 1


async def test_in_its_delay_an_attempt_holds_no_slot_and_counts_in_no_queue(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(max_queued=0)) as bed:
        first = await started_and_failed(bed)

        other = await bed.trigger("job")

        assert (await bed.keeper.next_spawn()).run_id == other.id
        second = await attempt_after(bed, first)
        assert second.status is Status.PENDING
        assert second not in bed.engine.runs.pending("job")


@pytest.mark.parametrize("rules", [{"on_overlap": Overlap.SKIP}, {"max_queued": 1}])
async def test_once_due_an_attempt_goes_before_all_who_wait_and_is_never_turned_away(
    tmp_path: Path, rules: dict[str, object]
) -> None:
    async with bed_of(tmp_path, task(**rules)) as bed:
        first = await started_and_failed(bed)
        second = await attempt_after(bed, first)
        holder = await bed.trigger("job")
        await bed.keeper.next_spawn()
        waits = await bed.trigger("job")

        await bed.tick(31)
        assert (await bed.run(second.id)).status is Status.PENDING
        bed.keeper.end(holder.id)

        assert (await bed.keeper.next_spawn()).run_id == second.id
        if "max_queued" in rules:
            assert bed.engine.runs.pending("job")[-1].id == waits.id


async def test_attempts_that_are_due_go_in_the_order_of_their_coming(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(max_concurrent=2)) as bed:
        runs = [await bed.trigger("job") for _ in range(2)]
        for _ in runs:
            await bed.keeper.next_spawn()
        attempts = [(await failed(bed, run.id)).next_attempt_run_id for run in runs]
        holders = [await bed.trigger("job") for _ in range(2)]
        for holder in holders:
            await bed.until(EventKind.RUN_STARTED, holder.id)  # until then it is pending, too
        await bed.trigger("job")

        await bed.tick(31)

        assert [run.id for run in bed.engine.runs.pending("job")][:2] == attempts


async def test_a_newer_run_of_a_task_that_replaces_cancels_the_attempt(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        first = await started_and_failed(bed)
        second = await attempt_after(bed, first)

        newer = await bed.trigger("job")

        gone = (await bed.until(EventKind.RUN_ENDED, second.id)).run
        assert gone is not None
        assert (gone.end_reason, gone.message) == (EndReason.STOPPED, "a newer run took its place")
        assert (await bed.keeper.next_spawn()).run_id == newer.id
        assert bed.keeper.stops == []


async def test_a_run_that_fails_while_a_newer_one_waits_to_replace_it_is_not_tried_again(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.REPLACE)) as bed:
        old = await bed.trigger("job")
        await bed.keeper.next_spawn()
        newer = await bed.trigger("job")
        await bed.keeper.next_stop()

        ended = await failed(bed, old.id)

        assert ended.next_attempt_run_id is None
        assert (await bed.keeper.next_spawn()).run_id == newer.id


async def test_who_waits_for_a_run_waits_for_its_last_attempt(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        early = asyncio.create_task(bed.engine.runs.wait(run.id, 60))
        await bed.keeper.next_spawn()
        first = await failed(bed, run.id)
        late = asyncio.create_task(bed.engine.runs.wait(run.id, 60))
        await bed.tick(31)
        second = await bed.keeper.next_spawn()

        bed.keeper.end(second.run_id)

        for waiter in (early, late, asyncio.create_task(bed.engine.runs.wait(run.id, 60))):
            ended = await waiter
            assert (ended.id, ended.end_reason) == (first.next_attempt_run_id, EndReason.SUCCESS)


async def test_a_wait_that_is_over_in_the_delay_shows_the_attempt_that_is_to_come(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)

        stands = await bed.engine.runs.wait(first.id, 0.01)

        assert (stands.id, stands.status) == (first.next_attempt_run_id, Status.PENDING)
        assert stands.waiting_for is not None


async def test_a_server_that_dies_in_the_delay_leaves_the_attempt_to_the_next(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)
        await bed.tick(10)

        await bed.crash()
        await bed.start()

        await bed.tick(19)
        assert len(bed.keeper.spawns) == 1
        await bed.tick(2)
        assert (await bed.keeper.next_spawn()).run_id == first.next_attempt_run_id


async def test_an_attempt_that_was_due_meanwhile_goes_first_at_the_next_server(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)
        holder = await bed.trigger("job")
        await bed.keeper.next_spawn()
        await bed.trigger("job")
        await bed.crash()
        bed.clock.jump(31)

        await bed.start()
        bed.keeper.end(holder.id)

        assert (await bed.keeper.next_spawn()).run_id == first.next_attempt_run_id


async def test_a_failure_that_nobody_heard_of_is_tried_again_by_the_next_server(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        await bed.crash()
        bed.keeper.end(run.id, 1)

        await bed.start()
        first = (await bed.until(EventKind.RUN_ENDED, run.id)).run

        assert first is not None
        assert (await attempt_after(bed, first)).status is Status.PENDING


async def test_a_lost_run_is_tried_again(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(delay=timedelta())) as bed:
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        bed.connects = False
        bed.keeper.die()
        another = FakeKeeper(keeper_id="keeper-2")

        bed.reconnect(another)
        lost = (await bed.until(EventKind.RUN_ENDED, run.id)).run

        assert lost is not None
        assert lost.end_reason is EndReason.LOST
        assert (await another.next_spawn()).run_id == lost.next_attempt_run_id


async def test_shutdown_cancels_attempts_that_are_not_due(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await started_and_failed(bed)

        await bed.engine.shutdown()

        cancelled = await attempt_after(bed, first)
        assert (cancelled.end_reason, cancelled.message) == (EndReason.STOPPED, "cancelled by rota shutdown")


async def test_a_tick_is_tried_again_as_that_tick_and_claims_no_other(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(cron=("0 13 * * *",), start_deadline=timedelta(seconds=5))) as bed:
        await bed.tick(3600)
        spawn = await bed.keeper.next_spawn()
        first = await failed(bed, spawn.run_id)
        await bed.tick(31)

        again = await bed.keeper.next_spawn()

        assert again.run_id == first.next_attempt_run_id
        assert spawn.env["ROTA_SCHEDULED_AT"] == again.env["ROTA_SCHEDULED_AT"] == "2026-03-02T13:00:00Z"
        bed.keeper.end(again.run_id)
        await bed.until(EventKind.RUN_ENDED, again.run_id)
        (fate,) = await bed.engine.ticks.why("job", 10)
        assert (fate.count, fate.message) == (1, "ran, and ended as failed; its attempt 2 ended as success")


async def test_secrets_go_from_attempt_to_attempt_and_are_gone_after_the_last(tmp_path: Path) -> None:
    declared = (Param(name="PIN", kind=ParamKind.ENV, type=ParamType.SECRET),)
    async with bed_of(tmp_path, task(attempts=2, params=declared)) as bed:
        run = await bed.engine.triggering.trigger(
            "job", triggered_by=TriggeredBy.API, params={"PIN": "hunter22"}
        )
        await bed.keeper.next_spawn()
        first = await failed(bed, run.id)
        second = await attempt_after(bed, first)
        await bed.restart()
        await bed.tick(31)

        spawn = await bed.keeper.next_spawn()

        assert (first.sealed, second.sealed is None) == (None, False)
        assert spawn.env["PIN"] == "hunter22"
        last = await failed(bed, spawn.run_id)
        assert (last.next_attempt_run_id, (await bed.run(last.id)).sealed) == (None, None)


async def test_a_run_keeps_its_attempts_as_long_as_one_of_them_is_open(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(keep_runs=1)) as bed:
        first, others = await started_and_failed(bed), []
        for _ in range(3):
            other = await bed.trigger("job")
            await bed.keeper.next_spawn()
            bed.keeper.end(other.id)
            await bed.until(EventKind.RUN_ENDED, other.id)
            others.append(other.id)
        await gone(bed, others[0])
        assert await bed.store.run(first.id) is not None

        await bed.tick(31)
        bed.keeper.end((await bed.keeper.next_spawn()).run_id)
        await gone(bed, first.id)


async def test_the_first_attempt_of_a_key_stands_for_all(tmp_path: Path) -> None:
    request = Request(
        key="k", method="POST", path="/x", body_hash="h", run_id=RunId(""), status_code=201, at=NOON
    )
    async with bed_of(tmp_path, task()) as bed:
        run = await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, request=request)
        await bed.keeper.next_spawn()
        first = await failed(bed, run.id)

        last = await bed.engine.runs.last_attempt(await bed.run(run.id))

        assert last.id == first.next_attempt_run_id
