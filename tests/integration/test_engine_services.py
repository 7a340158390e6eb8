"""Services live, end, come back and are given up; over restarts of the server, too."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from engine_bed import Bed, FakeKeeper, bed_of, settle

from rota.config.config import Group, Server
from rota.keeper.messages import Notified, Spawn
from rota.model.error import ShuttingDown, StoreUnavailable, TaskIsService
from rota.model.event import EventKind
from rota.model.pause import PauseKind, Scope
from rota.model.run import Cause, EndReason, Kind, RunId, Status, TriggeredBy
from rota.model.secret import Secret
from rota.model.service import HealthCheck, InstanceState, Restart, Service
from rota.model.task import Task


def service(name: str = "web", life: dict[str, object] | None = None, **fields: object) -> Service:
    given = {"name": name, "run": "true", "max_concurrent": 1024} | (life or {})
    return Service(life=Task(**given), **fields)  # type: ignore[arg-type]


def states(bed: Bed, name: str = "web") -> list[InstanceState]:
    return [each.state for each in bed.engine.services.now(name).instances]


async def until_healthy(bed: Bed, name: str = "web") -> None:
    """Let it live as long as it takes."""
    await bed.settled()
    await bed.until(EventKind.RUN_STARTED)
    await bed.settled()
    await bed.tick(1)
    assert InstanceState.HEALTHY in states(bed, name)


async def all_started(bed: Bed, count: int) -> list[RunId]:
    """The lives that begin next."""
    runs = [(await bed.keeper.next_spawn()).run_id for _ in range(count)]
    for run_id in runs:
        await bed.until(EventKind.RUN_STARTED, run_id)
    await bed.settled()
    return runs


async def test_each_instance_gets_a_life_which_is_a_run(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=2, port=8000)) as bed:
        spawns = [await bed.keeper.next_spawn() for _ in range(2)]

        runs = [await bed.run(spawn.run_id) for spawn in spawns]
        assert [(run.kind, run.task_name, run.triggered_by, run.instance_index) for run in runs] == [
            (Kind.SERVICE, "web", TriggeredBy.SERVICE, 0),
            (Kind.SERVICE, "web", TriggeredBy.SERVICE, 1),
        ]
        assert [spawn.env["ROTA_INSTANCE_INDEX"] for spawn in spawns] == ["0", "1"]
        assert [spawn.env["PORT"] for spawn in spawns] == ["8000", "8001"]
        assert spawns[0].env["ROTA_SERVICE"] == "web"
        assert "ROTA_TASK" not in spawns[0].env


async def test_its_states_are_told_as_they_change(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart_attempts=2)) as bed:
        [run] = await all_started(bed, 1)
        await bed.tick(1)
        bed.keeper.end(run, 1)

        told = [
            await bed.until(EventKind(f"service.{state}")) for state in ("starting", "healthy", "backing_off")
        ]

        assert [(each.instance.state, each.instance.was) for each in told if each.instance] == [
            (InstanceState.STARTING, InstanceState.STOPPED),
            (InstanceState.HEALTHY, InstanceState.STARTING),
            (InstanceState.BACKING_OFF, InstanceState.HEALTHY),
        ]
        assert told[2].message == "it ended with exit code 1"
        [now] = bed.engine.services.now("web").instances
        assert now.next_attempt_at == bed.clock.now() + timedelta(seconds=1)


async def test_it_is_given_up_after_so_many_quick_failures_and_tried_again_when_asked_for(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, service(restart_attempts=3)) as bed:
        for _ in range(3):
            [run] = await all_started(bed, 1)
            bed.keeper.end(run, 1)
            await bed.until(EventKind.RUN_ENDED, run)
            await bed.settled()
            [now] = bed.engine.services.now("web").instances
            if now.next_attempt_at is not None:  # and no longer: the next life would be healthy
                await bed.tick((now.next_attempt_at - bed.clock.now()).total_seconds())

        await bed.tick(60)
        assert states(bed) == [InstanceState.FAILED]
        assert len(bed.keeper.spawns) == 3

        await bed.engine.services.orders.start("web")
        await all_started(bed, 1)
        assert states(bed) == [InstanceState.STARTING]


async def test_neither_pauses_nor_the_slots_of_tasks_hold_it(tmp_path: Path) -> None:
    limits = {"server": Server(max_concurrent=1), "groups": {"shop": Group(max_concurrent=1)}}
    async with bed_of(tmp_path, service(instances=2, life={"group": "shop"}), **limits) as bed:
        run, _ = await all_started(bed, 2)
        await bed.engine.pausing.pause(
            Scope(kind=PauseKind.ALL), reason=None, actor=None, via=TriggeredBy.CLI
        )
        bed.keeper.end(run, 1)
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.settled()
        await bed.tick(1)

        [again] = await all_started(bed, 1)
        assert (await bed.run(again)).despite_pause is None


async def test_what_is_stopped_by_its_service_stays_so_and_by_its_run_does_not(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service()) as bed:
        [run] = await all_started(bed, 1)
        await bed.engine.runs.stop(run, by="cli")
        bed.keeper.end_stopped(run)
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.settled()
        await bed.tick(1)
        [again] = await all_started(bed, 1)

        await bed.engine.services.orders.stop("web")
        assert (await bed.keeper.next_stop())[0] == run
        assert await bed.keeper.next_stop() == (again, "the stop of its service")
        bed.keeper.end_stopped(again)
        await bed.until(EventKind.RUN_ENDED, again)
        await bed.tick(100)

        assert states(bed) == [InstanceState.STOPPED]
        assert len(bed.keeper.spawns) == 2


async def test_a_service_waits_for_what_it_depends_on_and_ends_before_it(tmp_path: Path) -> None:
    db, web = service("db", autostart=False), service("web", depends_on=("db",))
    async with bed_of(tmp_path, web, db) as bed:
        first = await bed.keeper.next_spawn()
        assert (await bed.run(first.run_id)).task_name == "db"
        assert bed.engine.services.now("web").instances[0].message == "it waits for db, which is starting"
        await bed.until(EventKind.RUN_STARTED, first.run_id)
        await bed.settled()
        assert len(bed.keeper.spawns) == 1

        await bed.tick(1)
        second = await bed.keeper.next_spawn()
        assert (await bed.run(second.run_id)).task_name == "web"

        leaving = asyncio.create_task(bed.engine.services.shutdown())
        assert (await bed.keeper.next_stop())[0] == second.run_id
        await bed.settled()
        assert len(bed.keeper.stops) == 1
        bed.keeper.end_stopped(second.run_id)
        assert (await bed.keeper.next_stop())[0] == first.run_id
        bed.keeper.end_stopped(first.run_id)
        await leaving


async def test_a_scale_is_kept_until_the_file_says_another(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service()) as bed:
        await all_started(bed, 1)
        await bed.engine.services.orders.scale("web", 3)
        await all_started(bed, 2)

        await bed.restart()
        assert bed.engine.services.now("web").scale == 3
        assert len(bed.keeper.began) == 3

        bed.configure([service(instances=2)])
        await bed.restart()
        assert bed.engine.services.now("web").scale == 2
        assert await bed.keeper.next_stop() == (bed.keeper.began[2], "the scaling of its service")


async def test_after_a_restart_of_the_server_the_same_lives_go_on(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=3)) as bed:
        runs = await all_started(bed, 3)
        await bed.tick(1)

        await bed.crash()
        await bed.start()
        await bed.settled()

        now = bed.engine.services.now("web")
        assert [each.run_id for each in now.instances] == runs
        assert [each.pid for each in now.instances] == [4000] * 3
        assert states(bed) == [InstanceState.HEALTHY] * 3
        assert len(bed.keeper.began) == 3


async def test_a_stop_is_kept_over_a_restart_of_the_server_and_not_over_a_boot(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service()) as bed:
        [run] = await all_started(bed, 1)
        await bed.engine.services.orders.stop("web")
        bed.keeper.end_stopped(run)
        await bed.until(EventKind.RUN_ENDED, run)

        await bed.restart()
        await bed.tick(5)
        assert states(bed) == [InstanceState.STOPPED]
        assert len(bed.keeper.began) == 1

        await bed.stop()
        bed.keeper = FakeKeeper(keeper_id="keeper-2", boot_id="boot-2")
        await bed.start()
        await all_started(bed, 1)


async def test_after_a_shutdown_autostart_decides(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("a"), service("b", autostart=False)) as bed:
        await all_started(bed, 1)
        await bed.engine.services.orders.stop("a")
        await bed.keeper.next_stop()
        bed.keeper.end_stopped(bed.keeper.began[0])
        await bed.engine.services.orders.start("b")
        [b] = await all_started(bed, 1)
        leaving = asyncio.create_task(bed.engine.shutdown())
        assert await bed.keeper.next_stop() == (b, "rota shutdown")
        bed.keeper.end_stopped(b)
        await leaving
        with pytest.raises(ShuttingDown):
            await bed.engine.services.orders.start("a")

        bed.keeper = FakeKeeper(keeper_id="keeper-2")
        await bed.start()
        [started] = await all_started(bed, 1)

        assert (await bed.run(started)).task_name == "a"
        assert states(bed, "b") == [InstanceState.STOPPED]


async def test_what_has_failed_stays_so_over_a_restart_of_the_server(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart_attempts=1)) as bed:
        [run] = await all_started(bed, 1)
        bed.keeper.end(run, 1)
        await bed.until(EventKind.SERVICE_FAILED)

        await bed.restart()
        await bed.tick(100)

        assert states(bed) == [InstanceState.FAILED]
        assert len(bed.keeper.began) == 1


async def test_an_end_while_no_server_lived_counts(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart=Restart.NEVER)) as bed:
        [run] = await all_started(bed, 1)
        await bed.crash()
        bed.keeper.end(run, 0)

        await bed.start()
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.settled()
        await bed.restart()
        await bed.tick(100)

        assert states(bed) == [InstanceState.STOPPED]
        assert len(bed.keeper.began) == 1


async def test_a_pause_goes_on_over_a_restart_of_the_server(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart_delay=timedelta(seconds=30))) as bed:
        [run] = await all_started(bed, 1)
        bed.keeper.now = bed.clock.now()
        bed.keeper.end(run, 1)
        await bed.until(EventKind.SERVICE_BACKING_OFF)
        await bed.tick(20)

        await bed.crash()
        await bed.start()
        await bed.settled()
        [now] = bed.engine.services.now("web").instances
        assert now.next_attempt_at == bed.clock.now() + timedelta(seconds=10)
        await bed.tick(9)
        assert len(bed.keeper.began) == 1
        await bed.tick(1)
        await all_started(bed, 1)


async def test_a_rolling_restart_goes_on_where_it_stood(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=3)) as bed:
        old = await all_started(bed, 3)
        await bed.tick(1)
        await bed.engine.services.orders.restart("web", rolling=True)
        assert await bed.keeper.next_stop() == (old[0], "the restart of its service")
        bed.keeper.now = bed.clock.now()
        bed.keeper.end_stopped(old[0])
        [new] = await all_started(bed, 1)

        await bed.crash()
        await bed.start()
        await bed.settled()
        assert bed.keeper.stops == [(old[0], "the restart of its service")]
        await bed.tick(1)
        assert (await bed.keeper.next_stop())[0] == old[1]
        bed.keeper.end_stopped(old[1])
        await all_started(bed, 1)
        await bed.tick(1)
        assert (await bed.keeper.next_stop())[0] == old[2]
        bed.keeper.end_stopped(old[2])
        await all_started(bed, 1)
        await bed.tick(2)

        assert bed.engine.services.now("web").wanted.stale == frozenset()
        assert bed.engine.services.now("web").instances[0].run_id == new
        assert states(bed) == [InstanceState.HEALTHY] * 3
        assert len(bed.keeper.began) == 6


async def test_a_life_that_a_dead_server_had_asked_to_end_for_a_restart_is_followed_by_another(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, service(restart=Restart.ON_FAILURE)) as bed:
        [old] = await all_started(bed, 1)
        await bed.tick(1)
        await bed.engine.services.orders.restart("web", rolling=True)
        await bed.keeper.next_stop()

        await bed.crash()
        bed.keeper.end_stopped(old)
        await bed.start()
        await all_started(bed, 1)

        assert bed.engine.services.now("web").wanted.stale == frozenset()


async def test_an_end_for_its_health_is_a_failure_for_the_next_server_too(tmp_path: Path) -> None:
    health = HealthCheck(notify=True, interval=timedelta(seconds=1), retries=1)
    async with bed_of(tmp_path, service(restart=Restart.ON_FAILURE, health=health)) as bed:
        [run] = await all_started(bed, 1)
        await bed.tick(1)
        assert await bed.keeper.next_stop() == (run, "its health check")
        await bed.until(EventKind.SERVICE_STOPPING)
        await bed.settled()

        await bed.restart()
        bed.keeper.end_stopped(run)
        await bed.until(EventKind.SERVICE_BACKING_OFF)

        [now] = bed.engine.services.now("web").instances
        assert (now.failures, now.restarts) == (1, 1)


async def test_what_it_says_of_itself_decides_its_health(tmp_path: Path) -> None:
    health = HealthCheck(notify=True, interval=timedelta(seconds=10), retries=3)
    async with bed_of(tmp_path, service(health=health)) as bed:
        [run] = await all_started(bed, 1)
        spawn = bed.keeper.spawns[0]
        assert (spawn.notify, spawn.env["WATCHDOG_USEC"]) == (True, "30000000")
        await bed.tick(5)
        assert states(bed) == [InstanceState.STARTING]

        bed.keeper.say(notice(spawn, ready=True, pinged=True))
        await bed.until(EventKind.SERVICE_HEALTHY)
        await bed.settled()
        await bed.tick(29)
        assert states(bed) == [InstanceState.HEALTHY]
        await bed.tick(1)
        assert await bed.keeper.next_stop() == (run, "its health check")


async def test_it_says_that_it_is_about_to_end(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(health=HealthCheck(notify=True))) as bed:
        await all_started(bed, 1)

        bed.keeper.say(notice(bed.keeper.spawns[0], ready=True, departs=True))

        await bed.until(EventKind.SERVICE_STOPPING)
        assert bed.keeper.stops == []


async def test_what_says_that_it_is_about_to_end_has_its_grace_for_that_and_is_ended_then(
    tmp_path: Path,
) -> None:
    asked = service("web", {"grace": timedelta(seconds=7)}, health=HealthCheck(notify=True))
    async with bed_of(tmp_path, asked) as bed:
        [run] = await all_started(bed, 1)
        bed.keeper.say(notice(bed.keeper.spawns[0], ready=True, departs=True))
        await bed.until(EventKind.SERVICE_STOPPING)
        await bed.tick(6.9)
        assert bed.keeper.stops == []

        await bed.tick(0.1)

        assert await bed.keeper.next_stop() == (
            run, "its health check: it has said that it is about to end",
        )  # fmt: skip
        bed.keeper.end_stopped(run)
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.tick(1)
        assert (await bed.keeper.next_spawn()).run_id != run


def notice(spawn: Spawn, **said: bool) -> Notified:
    about = {"ready": False, "departs": False, "pinged": False} | said
    return Notified(run_id=spawn.run_id, attempt=spawn.attempt, **about)


# --- another file, without another server


async def test_other_definitions_restart_scale_stop_and_start_and_leave_the_rest(
    tmp_path: Path,
) -> None:
    before = [service("same"), service("gone"), service("more"), service("other", instances=2)]
    async with bed_of(tmp_path, *before) as bed:
        runs = {}
        for run in await all_started(bed, 5):
            runs.setdefault((await bed.run(run)).task_name, []).append(run)
        await bed.tick(1)

        after = [
            service("same", restart_attempts=3),
            service("more", instances=2),
            service("other", {"run": "other"}, instances=2),
            service("new"),
        ]
        done = await bed.engine.reloading.reload(
            replace(bed.config, services={each.name: each for each in after})
        )

        assert (done.stopped_services, done.restarted, done.scaled) == (("gone",), ("other",), ("more",))
        assert {await bed.keeper.next_stop(), await bed.keeper.next_stop()} == {
            (runs["gone"][0], "the removal of its service"),
            (runs["other"][0], "the restart of its service"),
        }
        begun = [(await bed.run((await bed.keeper.next_spawn()).run_id)).task_name for _ in range(2)]
        assert sorted(begun) == ["more", "new"]
        bed.keeper.end_stopped(runs["gone"][0])
        await bed.until(EventKind.SERVICE_STOPPED)
        assert "gone" not in bed.engine.services.all
        assert bed.engine.services.now("same").instances[0].run_id == runs["same"][0]


async def test_which_lives_are_to_go_is_written_with_the_definition_so_that_no_crash_forgets_it(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, service(instances=2)) as bed:
        old = await all_started(bed, 2)
        await bed.tick(1)
        written: list[frozenset[RunId]] = []
        bed.store.hold("save_services", lambda wanted: bool(written.append(wanted["web"].stale)))

        await bed.engine.reloading.reload(
            replace(bed.config, services={"web": service("web", {"run": "other"})})
        )

        assert written[0] == set(old)


async def test_a_life_that_begins_while_another_definition_is_being_written_is_replaced_too(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, service()) as bed:
        [old] = await all_started(bed, 1)
        await bed.tick(2)
        hold = bed.store.hold("save_services")
        other = {"web": service("web", {"run": "other"})}
        reloading = asyncio.create_task(bed.engine.reloading.reload(replace(bed.config, services=other)))
        await hold.reached.wait()

        bed.keeper.end(old, 1)
        await bed.until(EventKind.RUN_ENDED, old)
        await settle()
        await bed.tick(2)
        late = await bed.keeper.next_spawn()
        hold.release.set()
        await reloading

        assert late.argv[-1] == "true"
        assert (await bed.keeper.next_stop())[0] == late.run_id
        await bed.settled()
        assert (await bed.store.services()).wanted["web"].stale == {late.run_id}
        bed.keeper.end_stopped(late.run_id)
        assert (await bed.keeper.next_spawn()).argv[-1] == "other"


async def test_a_service_that_comes_back_before_its_lives_have_ended_gets_others(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(), service("above", depends_on=("web",))) as bed:
        [below] = await all_started(bed, 1)
        await bed.tick(2)
        [above] = await all_started(bed, 1)
        await bed.tick(2)

        await bed.engine.reloading.reload(replace(bed.config, services={}))
        assert (await bed.keeper.next_stop())[0] == above  # and what it depends on waits for its end
        await bed.engine.reloading.reload(
            replace(bed.config, services={"web": service("web", {"run": "other"})})
        )

        assert (await bed.keeper.next_stop())[0] == below
        bed.keeper.end_stopped(below)
        assert (await bed.keeper.next_spawn()).argv[-1] == "other"


async def test_a_server_that_finds_another_definition_restarts_one_after_another(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=2)) as bed:
        old = await all_started(bed, 2)
        await bed.tick(1)

        bed.configure([service("web", {"run": "other"}, instances=2)])
        await bed.restart()

        assert (await bed.keeper.next_stop())[0] == old[0]
        assert bed.engine.services.now("web").left == 2
        await bed.settled()
        assert len(bed.keeper.stops) == 1


async def test_lives_that_were_lost_are_followed_by_others(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(instances=2)) as bed:
        runs = await all_started(bed, 2)
        await bed.tick(1)
        keeper = bed.keeper
        bed.keeper = FakeKeeper(keeper_id="keeper-2")
        keeper.die()

        for run in runs:
            ended = await bed.until(EventKind.RUN_ENDED, run)
            assert ended.run is not None
            assert ended.run.end_reason is EndReason.LOST
        await bed.settled()
        await bed.tick(1)
        await all_started(bed, 2)


async def test_lives_of_a_service_that_there_is_no_more_are_ended(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service("gone"), service("web")) as bed:
        gone, _ = await all_started(bed, 2)
        await bed.crash()
        bed.configure([service("web")])
        await bed.start()

        assert await bed.keeper.next_stop() == (gone, "Rota, which has no such service any more")


async def test_a_store_that_cannot_write_changes_nothing_and_begins_nothing(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service()) as bed:
        [run] = await all_started(bed, 1)
        bed.store.broken = True
        with pytest.raises(StoreUnavailable):
            await bed.engine.services.orders.stop("web")
        bed.keeper.end(run, 1)
        await bed.until(EventKind.STORE_FAILED)
        await bed.tick(5)
        assert len(bed.keeper.began) == 1

        bed.store.broken = False
        await bed.tick(1)
        await bed.until(EventKind.STORE_HEALED)
        await bed.until(EventKind.RUN_ENDED, run)
        await bed.settled()
        await bed.tick(2)
        await all_started(bed, 1)


async def test_a_program_that_cannot_be_started_is_a_failure(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service(restart_attempts=1)) as bed:
        [run] = await all_started(bed, 1)
        bed.keeper.end(run, None, cause=Cause.START_FAILED)

        failed = await bed.until(EventKind.SERVICE_FAILED)

        assert failed.instance is not None
        assert failed.instance.run_id == run
        assert states(bed) == [InstanceState.FAILED]


async def test_a_service_is_not_triggered(tmp_path: Path) -> None:
    async with bed_of(tmp_path, service()) as bed:
        with pytest.raises(TaskIsService, match="/api/services/web"):
            await bed.trigger("web")


async def test_services_do_not_wait_for_slots_and_their_runs_say_no_secret(tmp_path: Path) -> None:
    it = service(instances=3, life={"secrets": {"KEY": Secret("hunter22")}})
    async with bed_of(tmp_path, replace(it)) as bed:
        spawns = [await bed.keeper.next_spawn() for _ in range(3)]

        assert all(spawn.env["KEY"] == "hunter22" and spawn.secrets == ("hunter22",) for spawn in spawns)
        assert bed.engine.runs.count(Status.PENDING) + bed.engine.runs.count(Status.RUNNING) == 3
