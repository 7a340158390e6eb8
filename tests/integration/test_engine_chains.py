"""A task that comes after others: its run is written with their end, once, whatever dies meanwhile."""

from __future__ import annotations

from pathlib import Path

from engine_bed import Bed, bed_of, settle

from rota.model.event import EventKind
from rota.model.pause import PauseKind, Scope
from rota.model.retry import Retry
from rota.model.run import EndReason, Run, RunId, Status, TriggeredBy
from rota.model.task import Overlap, Task


def task(name: str, **fields: object) -> Task:
    return Task(name=name, run="true", **fields)  # type: ignore[arg-type]


EXTRACT, CLEAN = task("extract"), task("clean")
LOAD = task("load", after=("extract",))


async def has_ended(bed: Bed, task_name: str, exit_code: int = 0) -> RunId:
    """A run of the task, which ended so."""
    run = await bed.trigger(task_name)
    await bed.keeper.next_spawn()
    bed.keeper.end(run.id, exit_code)
    await bed.until(EventKind.RUN_ENDED, run.id)
    return run.id


async def of_task(bed: Bed, task_name: str) -> list[Run]:
    return await bed.store.last_runs(task_name, 10)


async def test_a_task_runs_after_the_one_that_it_names_has_ended_well(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD) as bed:
        upstream = await has_ended(bed, "extract")

        spawn = await bed.keeper.next_spawn()

        run = await bed.run(spawn.run_id)
        assert (run.task_name, run.triggered_by, run.upstream_run_id) == (
            "load",
            TriggeredBy.UPSTREAM,
            upstream,
        )
        assert spawn.env["ROTA_UPSTREAM_RUN_ID"] == upstream
        assert (await bed.until(EventKind.RUN_CREATED, run.id)).run is not None


async def test_a_failure_begins_only_what_comes_after_a_failure(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD, task("page", after_failure=("extract",))) as bed:
        upstream = await has_ended(bed, "extract", 1)

        spawn = await bed.keeper.next_spawn()

        assert (spawn.env["ROTA_TASK"], spawn.env["ROTA_UPSTREAM_RUN_ID"]) == ("page", upstream)
        assert await of_task(bed, "load") == []


async def test_of_several_all_have_to_end_well_since_the_last_chained_run(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, CLEAN, task("load", after=("extract", "clean"))) as bed:
        await has_ended(bed, "extract")
        await has_ended(bed, "extract")
        assert await of_task(bed, "load") == []

        last = await has_ended(bed, "clean")
        first_load = await bed.keeper.next_spawn()
        bed.keeper.end(first_load.run_id)
        await has_ended(bed, "clean")
        await has_ended(bed, "clean", 1)

        assert first_load.env["ROTA_UPSTREAM_RUN_ID"] == last
        assert len(await of_task(bed, "load")) == 1
        await has_ended(bed, "extract")
        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"


async def test_two_ends_at_the_same_moment_begin_one_run(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, CLEAN, task("load", after=("extract", "clean"))) as bed:
        runs = [await bed.trigger(name) for name in ("extract", "clean")]
        for _ in runs:
            await bed.keeper.next_spawn()

        for run in runs:
            bed.keeper.end(run.id)

        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"
        await settle()
        assert len(await of_task(bed, "load")) == 1


async def test_what_has_ended_well_counts_over_a_crash_of_the_server(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, CLEAN, task("load", after=("extract", "clean"))) as bed:
        await has_ended(bed, "extract")

        await bed.crash()
        await bed.start()
        await has_ended(bed, "clean")

        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"


async def test_the_end_and_the_run_after_it_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD) as bed:
        run = await bed.trigger("extract")
        await bed.keeper.next_spawn()
        bed.store.broken = True
        bed.keeper.end(run.id)
        await settle()
        assert await of_task(bed, "load") == []

        await bed.crash()
        await bed.start()

        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"
        assert len(await of_task(bed, "load")) == 1


async def test_a_chained_run_that_a_dead_server_wrote_down_is_started_once_by_the_next(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD) as bed:
        run = await bed.trigger("extract")
        await bed.keeper.next_spawn()
        hold = bed.store.hold("move", lambda _, after: after.task_name == "load")
        bed.keeper.end(run.id)
        await hold.reached.wait()

        await bed.crash()
        await bed.start()

        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"
        assert len(await of_task(bed, "load")) == 1


async def test_only_the_last_attempt_counts(tmp_path: Path) -> None:
    retried = task("extract", retry=Retry(attempts=2, delay=Retry().delay * 0))
    async with bed_of(tmp_path, retried, LOAD, task("page", after_failure=("extract",))) as bed:
        await has_ended(bed, "extract", 1)
        second = await bed.keeper.next_spawn()
        assert second.env["ROTA_TASK"] == "extract"
        assert await of_task(bed, "page") == []

        bed.keeper.end(second.run_id, 1)

        page = await bed.keeper.next_spawn()
        assert (page.env["ROTA_TASK"], page.env["ROTA_UPSTREAM_RUN_ID"]) == ("page", second.run_id)


async def test_the_attempts_of_a_chained_run_have_its_upstream(tmp_path: Path) -> None:
    load = task("load", after=("extract",), retry=Retry(attempts=2, delay=Retry().delay * 0))
    async with bed_of(tmp_path, EXTRACT, load) as bed:
        upstream = await has_ended(bed, "extract")
        first = await bed.keeper.next_spawn()
        bed.keeper.end(first.run_id, 1)

        second = await bed.keeper.next_spawn()

        assert second.env["ROTA_UPSTREAM_RUN_ID"] == upstream
        assert (await bed.run(second.run_id)).upstream_run_id == upstream


async def test_its_own_rules_hold_for_a_chained_run(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, task("load", after=("extract",), on_overlap=Overlap.SKIP)) as bed:
        await has_ended(bed, "extract")
        await bed.keeper.next_spawn()

        await has_ended(bed, "extract")

        skipped = (await of_task(bed, "load"))[0]
        ended = (await bed.until(EventKind.RUN_ENDED, skipped.id)).run
        assert ended is not None
        assert ended.end_reason is EndReason.SKIPPED


async def test_chains_go_on_from_task_to_task(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD, task("report", after=("load",))) as bed:
        await has_ended(bed, "extract")
        load = await bed.keeper.next_spawn()
        bed.keeper.end(load.run_id)

        report = await bed.keeper.next_spawn()

        assert (report.env["ROTA_TASK"], report.env["ROTA_UPSTREAM_RUN_ID"]) == ("report", load.run_id)


async def test_in_a_pause_as_many_chained_runs_are_held_as_may_wait(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, task("load", after=("extract",), max_queued=2)) as bed:
        scope = Scope(kind=PauseKind.TASK, name="load")
        await bed.engine.pausing.pause(scope, reason=None, actor=None, via=TriggeredBy.CLI)

        for _ in range(3):
            await has_ended(bed, "extract")
        turned_away = (await bed.until(EventKind.RUN_ENDED, (await of_task(bed, "load"))[0].id)).run

        assert turned_away is not None
        assert turned_away.end_reason is EndReason.QUEUE_FULL
        assert [run.status for run in (await of_task(bed, "load"))[1:]] == [Status.PENDING] * 2
        await bed.engine.pausing.resume(scope)
        assert (await bed.keeper.next_spawn()).env["ROTA_TASK"] == "load"


async def test_a_cancelled_run_begins_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, EXTRACT, LOAD, task("page", after_failure=("extract",))) as bed:
        await bed.trigger("extract")
        await bed.keeper.next_spawn()
        waits = await bed.trigger("extract")

        cancelled = await bed.engine.runs.stop(waits.id, by="ann")

        assert cancelled.status is Status.ENDED
        assert [await of_task(bed, name) for name in ("load", "page")] == [[], []]
