"""What has failed of a service is tried again when somebody asks, or when another definition comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from engine_bed import Bed, bed_of

from rota.model.event import EventKind
from rota.model.run import RunId
from rota.model.service import InstanceState, Restart, Service
from rota.model.task import Task


def service(run: str = "true", **fields: object) -> Service:
    return Service(life=Task(name="web", run=run, max_concurrent=1024), **fields)  # type: ignore[arg-type]


def states(bed: Bed) -> list[InstanceState]:
    return [each.state for each in bed.engine.services.now("web").instances]


async def started(bed: Bed) -> RunId:
    """The life that begins next, once it is known to live."""
    run_id = (await bed.keeper.next_spawn()).run_id
    await bed.until(EventKind.RUN_STARTED, run_id)
    await bed.settled()
    return run_id


async def fail(bed: Bed, run_id: RunId) -> None:
    bed.keeper.end(run_id, 1)
    await bed.until(EventKind.RUN_ENDED, run_id)
    await bed.settled()


async def test_a_definition_that_was_put_right_is_tried_at_once(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("wrong", restart_attempts=1)) as bed:
        await fail(bed, await started(bed))
        assert states(bed) == [InstanceState.FAILED]
        right = {"web": service("right", restart_attempts=1)}

        done = await bed.engine.reloading.reload(replace(bed.config, services=right))

        assert done.restarted == ("web",)
        assert (await bed.keeper.next_spawn()).argv[-1] == "right"


async def test_so_it_is_by_a_server_that_finds_it_put_right(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("wrong", restart_attempts=1)) as bed:
        await fail(bed, await started(bed))

        bed.configure([service("right", restart_attempts=1)])
        await bed.restart()

        assert (await bed.keeper.next_spawn()).argv[-1] == "right"


async def test_it_waits_no_longer_for_the_next_try_of_what_was_wrong(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("wrong", restart_delay=timedelta(hours=1))) as bed:
        await fail(bed, await started(bed))
        assert states(bed) == [InstanceState.BACKING_OFF]

        await bed.engine.reloading.reload(replace(bed.config, services={"web": service("right")}))

        assert (await bed.keeper.next_spawn()).argv[-1] == "right"


async def test_a_rolling_restart_that_stood_still_goes_on_with_what_was_put_right(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("old", instances=2)) as bed:
        old = {await started(bed), await started(bed)}
        await bed.tick(1)
        wrong = {"web": service("wrong", instances=2, restart_attempts=1)}
        await bed.engine.reloading.reload(replace(bed.config, services=wrong))
        bed.keeper.end_stopped((await bed.keeper.next_stop())[0])
        await fail(bed, await started(bed))
        assert states(bed) == [InstanceState.FAILED, InstanceState.HEALTHY]

        right = {"web": service("right", instances=2, restart_attempts=1)}
        await bed.engine.reloading.reload(replace(bed.config, services=right))
        assert (await bed.keeper.next_spawn()).argv[-1] == "right"
        await bed.until(EventKind.RUN_STARTED)
        await bed.tick(1)

        stopped = (await bed.keeper.next_stop())[0]
        assert stopped in old
        bed.keeper.end_stopped(stopped)
        assert (await bed.keeper.next_spawn()).argv[-1] == "right"


@pytest.mark.parametrize("running", [True, False])
async def test_what_has_done_its_work_or_is_stopped_is_left_so(tmp_path: Path, running: bool) -> None:
    async with bed_of(tmp_path, service("old", restart=Restart.ON_FAILURE)) as bed:
        run = await started(bed)
        if running:
            bed.keeper.end(run, 0)
        else:
            await bed.engine.services.orders.stop("web")
            bed.keeper.end_stopped((await bed.keeper.next_stop())[0])
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.settled()
        new = {"web": service("new", restart=Restart.ON_FAILURE)}

        done = await bed.engine.reloading.reload(replace(bed.config, services=new))
        await bed.tick(100)

        assert done.restarted == ()
        assert states(bed) == [InstanceState.STOPPED]
        assert len(bed.keeper.began) == 1


async def test_who_was_answered_that_it_is_tried_again_has_it_tried_though_the_server_died(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, service(restart_attempts=1)) as bed:
        await fail(bed, await started(bed))
        bed.store.hold("save_instances")  # whatever is written later than the order itself is lost

        await bed.engine.services.orders.start("web")
        [kept] = (await bed.store.services()).instances["web"]

        assert (kept.at_rest, kept.failures) == (None, 0)


async def test_an_instance_that_comes_back_by_a_scale_counts_its_failures_anew(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=2, restart_attempts=1)) as bed:
        runs = [await started(bed), await started(bed)]
        [failed] = [run for run in runs if (await bed.run(run)).instance_index == 1]
        await fail(bed, failed)
        assert states(bed)[1] is InstanceState.FAILED

        await bed.engine.services.orders.scale("web", 1)
        await bed.engine.services.orders.scale("web", 2)
        await started(bed)
        await bed.crash()
        await bed.start()
        await bed.settled()

        [_, again] = bed.engine.services.now("web").instances
        assert (again.failures, again.state) == (0, InstanceState.STARTING)
        kept = (await bed.store.services()).instances.get("web", [])
        assert [each.index for each in kept if each.at_rest is not None] == []


async def test_a_failure_is_counted_once_though_a_later_life_was_deleted(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart_attempts=3)) as bed:
        await fail(bed, await started(bed))
        await bed.tick(1)
        last = await started(bed)
        await fail(bed, last)
        await bed.engine.deletion.delete([last])

        await bed.restart()
        await bed.settled()

        [now] = bed.engine.services.now("web").instances
        assert (now.failures, now.state) == (2, InstanceState.STARTING)
