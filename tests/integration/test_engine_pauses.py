"""Pauses: what starts by itself is held, what is asked for is not, and a restart changes nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from engine_bed import NOON, Bed, FakeKeeper, bed_of, settle

from rota.config.config import Server
from rota.engine.why import Outcome
from rota.model.error import GroupNotFound, StoreUnavailable, TaskNotFound
from rota.model.event import EventKind
from rota.model.pause import Pause, PauseKind, Scope
from rota.model.run import Actor, ActorKind, EndReason, Run, Status, TriggeredBy, WaitingFor, WaitKind
from rota.model.task import Overlap, Task
from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from pathlib import Path

    from rota.keeper.messages import Message

OLAF = Actor(kind=ActorKind.USER, name="olaf")
ALL = Scope(kind=PauseKind.ALL)
GROUP = Scope(kind=PauseKind.GROUP, name="backups")
JOB = Scope(kind=PauseKind.TASK, name="job")
TOLD = "was paused by user olaf since 2026-03-02 12:00:00 UTC (deploying)"


def task(name: str = "job", **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


async def pause(bed: Bed, scope: Scope = JOB, reason: str | None = "deploying") -> Pause:
    bed.clock.advance(0.001)  # no two moments are the same
    return await bed.engine.pausing.pause(scope, reason=reason, actor=OLAF, via=TriggeredBy.CLI)


async def at(bed: Bed, seconds: float, name: str = "job") -> Run:
    return await bed.engine.triggering.trigger(
        name, triggered_by=TriggeredBy.API, at=bed.clock.now() + timedelta(seconds=seconds)
    )


async def missed(bed: Bed, name: str = "job") -> list[Run]:
    page = await bed.store.runs(RunFilter(task_name=name), limit=100, cursor=None)
    return [run for run in page.items if run.end_reason is EndReason.MISSED]


async def until_ticked(bed: Bed, count: int, name: str = "job", at: int | None = None) -> Run:
    """The run that tells of so many missed ticks, the last of them at that second."""
    for _ in range(200):
        for run in await missed(bed, name):
            if run.missed_ticks == count and at in (None, run.scheduled_at and run.scheduled_at.second):
                return run
    raise AssertionError(await missed(bed, name))


async def test_ticks_in_a_pause_are_missed_by_it_and_counted_in_one_run(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(cron=("* * * * * *",))) as bed:
        await pause(bed)
        await bed.tick(1)
        first = await until_ticked(bed, 1)
        await bed.tick(3)

        grown = await until_ticked(bed, 4)

        assert grown.id == first.id
        grew = await bed.until(EventKind.RUN_GREW, first.id)
        assert grew.run is not None
        assert grew.run.missed_ticks == 2  # one for each tick
        assert grown.message == f"the task {TOLD}"
        assert (grown.missed_since, grown.scheduled_at) == (
            NOON + timedelta(seconds=1),
            NOON + timedelta(seconds=4),
        )
        assert bed.keeper.spawns == []


async def test_a_run_of_missed_ticks_that_was_deleted_stays_so_and_another_tells_of_what_follows(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(cron=("* * * * * *",))) as bed:
        await pause(bed)
        await bed.tick(3)
        first = await until_ticked(bed, 3)
        await bed.engine.deletion.delete([first.id])
        await bed.tick(2)
        second = await until_ticked(bed, 2)

        assert [run.id for run in await missed(bed)] == [second.id]
        assert second.missed_since == NOON + timedelta(seconds=4)
        restored = (await bed.engine.deletion.restore([first.id]))[first.id]
        assert isinstance(restored, Run)
        assert [run.missed_ticks for run in await missed(bed)] == [2, 3]


async def test_what_a_pause_let_go_by_is_not_caught_up(tmp_path: Path) -> None:
    every = task(cron=("*/10 * * * * *",), catch_up=5, max_concurrent=5)
    async with bed_of(tmp_path, every) as bed:
        await pause(bed)
        await bed.stop()
        bed.clock.advance(300)
        await bed.start()
        await bed.tick(1)
        told = await until_ticked(bed, 30)
        await bed.engine.pausing.resume(JOB)
        await bed.tick(10)
        spawn = await bed.keeper.next_spawn()

        assert told.message == f"the task {TOLD}"
        assert (await bed.run(spawn.run_id)).triggered_by is TriggeredBy.CRON
        assert len(bed.keeper.spawns) == 1


async def test_a_gap_in_a_pause_is_the_pauses_though_that_is_over_when_it_is_counted(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(cron=("*/10 * * * * *",))) as bed:
        await pause(bed)
        await bed.stop()
        bed.clock.advance(300)
        await bed.start()
        await bed.engine.pausing.resume(JOB)  # before the scheduler has counted
        await bed.tick(1)

        told = [run.message for run in await missed(bed)]

        assert told
        assert all(message == f"the task {TOLD}" for message in told)
        assert bed.keeper.spawns == []


async def test_what_waited_before_waits_on_and_goes_in_its_turn_when_it_is_resumed(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        holder = await bed.trigger("job")
        await bed.keeper.next_spawn()
        waiting = [await bed.trigger("job") for _ in range(2)]
        await pause(bed)
        bed.keeper.end(holder.id)
        await bed.until(EventKind.RUN_ENDED, holder.id)
        await settle()

        assert bed.engine.runs.shown(waiting[0]).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="job")
        assert len(bed.keeper.spawns) == 1
        assert [run.id for run in bed.engine.runs.pending("job")] == [run.id for run in waiting]
        await bed.engine.pausing.resume(JOB)
        assert (await bed.keeper.next_spawn()).run_id == waiting[0].id


async def test_what_is_asked_for_in_a_pause_runs_and_says_so_before_what_waits(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        holder = await bed.trigger("job")
        await bed.keeper.next_spawn()
        kept = await bed.trigger("job")
        bed.clock.advance(1)
        await pause(bed)
        asked = await bed.trigger("job")
        bed.keeper.end(holder.id)

        assert (await bed.keeper.next_spawn()).run_id == asked.id
        assert asked.despite_pause == f"the task {TOLD.replace('12:00:00', '12:00:01')}"
        assert (await bed.run(asked.id)).despite_pause == asked.despite_pause
        assert kept.despite_pause is None


async def test_a_run_for_a_time_to_come_stays_pending_when_it_comes_in_a_pause(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(on_overlap=Overlap.SKIP)) as bed:
        before = await at(bed, 5)
        await pause(bed)
        within = await at(bed, 5)
        assert bed.engine.runs.shown(within).waiting_for == WaitingFor(kind=WaitKind.TIME)
        await bed.tick(6)

        for run in (before, within):
            assert bed.engine.runs.shown(await bed.run(run.id)).waiting_for == WaitingFor(
                kind=WaitKind.PAUSE, name="job"
            )
        await bed.engine.pausing.resume(JOB)
        assert (await bed.keeper.next_spawn()).run_id == before.id
        bed.keeper.end(before.id)
        assert (await bed.keeper.next_spawn()).run_id == within.id


async def test_a_deadline_holds_in_a_pause_too(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(start_deadline=timedelta(seconds=10))) as bed:
        late = await at(bed, 5)
        await pause(bed)
        await bed.tick(16)

        ended = (await bed.until(EventKind.RUN_ENDED, late.id)).run
        assert ended is not None
        assert ended.end_reason is EndReason.MISSED
        assert ended.message == f"it had not started within its start_deadline of 10s: the task {TOLD}"


async def test_a_run_that_has_its_slot_and_waits_for_a_keeper_is_held_too(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(), task("other"), server=Server(max_concurrent=1)) as bed:
        bed.connects = False
        bed.keeper.die()
        await bed.until(EventKind.KEEPER_LOST)
        held, behind = await bed.trigger("job"), await bed.trigger("other")
        assert bed.engine.runs.shown(held).waiting_for == WaitingFor(kind=WaitKind.KEEPER)
        await pause(bed)

        assert bed.engine.runs.shown(held).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="job")
        bed.reconnect(FakeKeeper(keeper_id="keeper-2"))
        assert (await bed.keeper.next_spawn()).run_id == behind.id  # it has given its slot back
        bed.keeper.end(behind.id)
        await bed.until(EventKind.RUN_ENDED, behind.id)
        await bed.settled()
        assert [spawn.run_id for spawn in bed.keeper.spawns] == [behind.id]
        await bed.engine.pausing.resume(JOB)
        assert (await bed.keeper.next_spawn()).run_id == held.id


@pytest.mark.parametrize("before", [True, False])
async def test_a_run_that_its_keeper_could_not_start_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    async with bed_of(tmp_path, task()) as bed:
        bed.keeper.refusing = True
        answers: list[Message] = []
        monkeypatch.setattr(bed.keeper, "say", answers.append)
        run = await bed.trigger("job")
        await bed.keeper.next_spawn()
        if before:
            await pause(bed)
        assert bed.keeper.link is not None
        for answer in answers:
            bed.keeper.link.say(answer)
        await bed.settled()
        if not before:
            await pause(bed)
        monkeypatch.undo()
        bed.keeper.refusing = False
        await bed.tick(5)

        run = bed.engine.runs.shown(await bed.run(run.id))
        assert run.waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="job")
        assert len(bed.keeper.spawns) == 1
        await bed.engine.pausing.resume(JOB)
        assert (await bed.keeper.next_spawn()).run_id == run.id


async def test_a_pause_outlasts_a_killed_server_with_what_it_holds(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task(cron=("*/10 * * * * *",))])
    await bed.start()
    holder = await bed.trigger("job")
    await bed.keeper.next_spawn()
    kept = await bed.trigger("job")
    bed.clock.advance(1)
    set_pause = await pause(bed)
    asked = await bed.trigger("job")
    await bed.tick(10)
    await until_ticked(bed, 1)

    await bed.crash()
    await bed.start()

    assert bed.engine.pausing.in_force() == [set_pause]
    assert bed.engine.runs.shown(kept).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="job")
    bed.keeper.end(holder.id)
    assert (await bed.keeper.next_spawn()).run_id == asked.id
    await bed.tick(10)
    await until_ticked(bed, 1, at=20)
    (fate,) = [fate for fate in await bed.engine.ticks.why("job", 10) if fate.outcome is Outcome.MISSED]
    assert fate.count == 2  # each tick once, though two servers told of them
    await bed.stop()


async def test_a_tick_that_a_killed_server_told_of_is_told_of_once(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task(cron=("*/10 * * * * *",))])
    await bed.start()
    await pause(bed)
    hold = bed.store.hold("save_horizon")
    bed.clock.advance(10)
    await hold.reached.wait()
    await until_ticked(bed, 1)

    await bed.crash()
    hold.release.set()
    await bed.start()
    await bed.tick(1)
    bed.clock.advance(9)
    await settle()
    await bed.tick(1)

    for _ in range(100):
        told = await missed(bed)
        if len(told) > 1:
            break
    assert sorted(run.scheduled_at.second for run in told if run.scheduled_at) == [10, 20]
    assert [run.missed_ticks for run in told] == [1, 1]
    await bed.stop()


async def test_a_group_or_everything_holds_its_tasks_and_resuming_one_ends_no_other(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(group="backups"), task("other")) as bed:
        holder, outsider = await bed.trigger("job"), await bed.trigger("other")
        waiting, behind = await bed.trigger("job"), await bed.trigger("other")
        await pause(bed, GROUP)
        await pause(bed, JOB)
        for run in (holder, outsider):
            await bed.until(EventKind.RUN_STARTED, run.id)
            bed.keeper.end(run.id)
        await bed.until(EventKind.RUN_STARTED, behind.id)
        await bed.engine.pausing.resume(JOB)
        await settle()

        assert bed.engine.runs.shown(waiting).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="backups")
        assert [each.scope for each in bed.engine.pausing.of("job")] == [GROUP]
        await pause(bed, ALL)
        await bed.engine.pausing.resume(GROUP)
        assert bed.engine.runs.shown(waiting).waiting_for == WaitingFor(kind=WaitKind.PAUSE)
        await bed.engine.pausing.resume(ALL)
        await bed.until(EventKind.RUN_STARTED, waiting.id)


async def test_a_task_that_a_reload_puts_into_a_paused_group_is_held_and_one_that_it_takes_out_is_not(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, task(), task("member", group="backups")) as bed:
        await bed.trigger("job")
        await bed.keeper.next_spawn()
        behind = await bed.trigger("job")
        bed.connects = False
        bed.keeper.die()
        await bed.until(EventKind.KEEPER_LOST)
        ready = await bed.trigger("member")
        await pause(bed, GROUP)
        assert bed.engine.runs.shown(ready).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="backups")

        bed.configure([task(group="backups"), task("member")])
        await bed.engine.reloading.reload(bed.config)

        assert bed.engine.runs.shown(ready).waiting_for == WaitingFor(kind=WaitKind.KEEPER)
        assert bed.engine.runs.shown(behind).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="backups")
        bed.configure([task(), task("member", group="backups")])
        await bed.engine.reloading.reload(bed.config)
        assert bed.engine.runs.shown(ready).waiting_for == WaitingFor(kind=WaitKind.PAUSE, name="backups")
        waiting_for = bed.engine.runs.shown(behind).waiting_for
        assert waiting_for is not None
        assert waiting_for.kind is WaitKind.TASK


async def test_pausing_twice_changes_nothing_but_a_reason(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        first = await pause(bed)

        assert await pause(bed) == first
        assert await pause(bed, reason=None) == first
        other = await pause(bed, reason="still deploying")
        assert (other.since, other.reason) == (first.since, "still deploying")
        assert await bed.engine.pausing.resume(JOB) is not None
        assert await bed.engine.pausing.resume(JOB) is None


async def test_what_is_not_there_cannot_be_paused_and_what_may_be_meant_is_said(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(group="backups")) as bed:
        with pytest.raises(GroupNotFound, match="did you mean 'backups'"):
            await pause(bed, Scope(kind=PauseKind.GROUP, name="backup"))
        with pytest.raises(TaskNotFound, match="did you mean 'job'"):
            await bed.engine.pausing.resume(Scope(kind=PauseKind.TASK, name="jobb"))


async def test_a_pause_that_cannot_be_written_holds_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        holder = await bed.trigger("job")
        await bed.keeper.next_spawn()
        waiting = await bed.trigger("job")
        bed.store.broken = True
        with pytest.raises(StoreUnavailable):
            await pause(bed)
        bed.store.broken = False

        assert bed.engine.pausing.in_force() == []
        assert bed.engine.runs.shown(waiting).waiting_for == WaitingFor(
            kind=WaitKind.TASK, name="job", run_ids=(holder.id,)
        )


async def test_the_pause_of_a_task_that_is_gone_is_kept_and_can_be_ended(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task(), task("other")])
    await bed.start()
    await pause(bed)
    tasks = dict(bed.config.tasks)
    bed.config = bed.config.__class__(path=bed.config.path, tasks={"other": tasks["other"]})
    await bed.restart()

    assert [each.scope for each in bed.engine.pausing.in_force()] == [JOB]
    assert await bed.engine.pausing.resume(JOB) is not None
    await bed.stop()


async def test_a_run_at_the_keepers_start_is_missed_by_a_pause(tmp_path: Path) -> None:
    bed = Bed(tmp_path, [task(run_on_start=True)])
    bed.keeper.at_once = True
    await bed.start()
    await bed.keeper.next_spawn()
    await pause(bed)
    bed.keeper.keeper_id = "keeper-2"
    await bed.restart()

    ended = (await bed.until(EventKind.RUN_ENDED)).run

    assert ended is not None
    assert (ended.end_reason, ended.triggered_by) == (EndReason.MISSED, TriggeredBy.STARTUP)
    assert ended.message == f"the task {TOLD}"
    await bed.stop()


async def test_what_is_paused_does_not_come_next(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task(cron=("@daily",)), task("other", cron=("@daily",))) as bed:
        await pause(bed)
        assert [each.task_name for each in bed.engine.ticks.coming(3)] == ["other"] * 3
        await pause(bed, ALL)
        assert bed.engine.ticks.coming(3) == []
        assert len(bed.engine.ticks.next("job", 3)) == 3


async def test_a_pause_and_its_end_are_told(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await pause(bed)
        await bed.engine.pausing.resume(JOB)

        began, over = await bed.until(EventKind.PAUSE_BEGAN), await bed.until(EventKind.PAUSE_ENDED)
        assert began.message == f"task job {TOLD}"
        assert over.message == "task job is not paused any more"


async def test_a_paused_task_counts_no_run_twice(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task()) as bed:
        await bed.trigger("job")
        kept = await bed.trigger("job")
        await pause(bed)
        cancelled = await bed.engine.runs.stop(kept.id, by="test")

        assert cancelled.status is Status.ENDED
        assert bed.engine.runs.count(Status.PENDING) + bed.engine.runs.count(Status.RUNNING) == 1
        await bed.engine.pausing.resume(JOB)
