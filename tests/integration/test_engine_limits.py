"""Limits beyond the task: of groups and of the server, with priorities, over restarts too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine_bed import Bed, bed_of, settle

from rota.config.config import Group, Server
from rota.model.run import EndReason, Run, WaitingFor, WaitKind
from rota.model.task import Overlap, Task

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"backups": Group(max_concurrent=1)}


def task(name: str, group: str | None = "backups", **fields: object) -> Task:
    return Task(name=name, run="true", group=group, **fields)  # type: ignore[arg-type]


async def spawned(bed: Bed) -> str:
    """The task whose run was spawned next."""
    spawn = await bed.keeper.next_spawn()
    return (await bed.run(spawn.run_id)).task_name or ""


async def end(bed: Bed, run: Run) -> None:
    bed.keeper.end(run.id)
    await bed.keeper.until_acknowledged(run.id)


async def test_tasks_of_a_group_share_its_slots_and_say_who_has_them(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("a"), task("b"), task("c", None), groups=ONE) as bed:
        first = await bed.trigger("a")
        second = await bed.trigger("b")
        third = await bed.trigger("c")

        assert second.waiting_for == WaitingFor(kind=WaitKind.GROUP, name="backups", run_ids=(first.id,))
        assert [await spawned(bed) for _ in range(2)] == ["a", "c"]
        assert third.waiting_for is None
        await end(bed, first)
        assert await spawned(bed) == "b"


async def test_a_full_group_keeps_nobody_else_from_the_servers_slots(tmp_path: Path) -> None:
    tasks = (task("a"), task("b"), task("c", None), task("d", "other"))
    server = Server(max_concurrent=2)
    async with bed_of(tmp_path, *tasks, groups=ONE, server=server) as bed:
        first = await bed.trigger("a")
        of_group = await bed.trigger("b")
        beside = await bed.trigger("c")
        last = await bed.trigger("d")

        assert [await spawned(bed) for _ in range(2)] == ["a", "c"]
        assert last.waiting_for == WaitingFor(kind=WaitKind.SERVER, run_ids=(first.id, beside.id))
        assert bed.engine.runs.shown(of_group).waiting_for == WaitingFor(
            kind=WaitKind.GROUP, name="backups", run_ids=(first.id,)
        )
        await end(bed, beside)
        assert await spawned(bed) == "d"  # though the other came before it: that one lacks the group's slot


async def test_the_higher_priority_goes_first_and_then_the_longest_wait(tmp_path: Path) -> None:
    tasks = [task("a"), task("low"), task("low-too"), task("high", priority=5)]
    async with bed_of(tmp_path, *tasks, groups=ONE) as bed:
        runs = {name: await bed.trigger(name) for name in ("a", "low", "low-too", "high")}

        order = []
        for _ in tasks:
            order.append(await spawned(bed))
            await end(bed, runs[order[-1]])

        assert order == ["a", "high", "low", "low-too"]


async def test_a_task_that_skips_waits_for_its_group_since_it_does_not_run_itself(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("a"), task("b", on_overlap=Overlap.SKIP), groups=ONE) as bed:
        await bed.trigger("a")
        waiting = await bed.trigger("b")
        beyond = await bed.trigger("b")

        assert waiting.end_reason is None
        assert beyond.end_reason is EndReason.SKIPPED


async def test_a_replacement_takes_the_place_of_the_one_that_waits_for_the_group(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("a"), task("b", on_overlap=Overlap.REPLACE), groups=ONE) as bed:
        holder = await bed.trigger("a")
        older = await bed.trigger("b")
        newer = await bed.trigger("b")
        await bed.keeper.next_spawn()
        await settle()

        assert (await bed.engine.runs.wait(older.id, 10)).end_reason is EndReason.SKIPPED
        await end(bed, holder)
        assert (await bed.keeper.next_spawn()).run_id == newer.id
        assert bed.keeper.stops == []


async def test_slots_and_turns_are_as_before_after_a_restart(tmp_path: Path) -> None:
    async with bed_of(tmp_path, task("a"), task("b"), task("high", priority=1), groups=ONE) as bed:
        holder = await bed.trigger("a")
        await bed.keeper.next_spawn()
        waiting = {name: await bed.trigger(name) for name in ("b", "high")}

        await bed.restart()

        assert bed.engine.runs.shown(waiting["b"]).waiting_for == WaitingFor(
            kind=WaitKind.GROUP, name="backups", run_ids=(holder.id,)
        )
        assert len(bed.keeper.spawns) == 1
        await end(bed, holder)
        assert await spawned(bed) == "high"
        await end(bed, waiting["high"])
        assert await spawned(bed) == "b"
