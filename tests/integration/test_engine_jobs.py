"""Jobs in the engine: they share slots, wait for a time, carry their definition, and keep their secrets."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from engine_bed import NOON, Bed, FakeKeeper, settle

from rota.config.config import Jobs
from rota.model.error import JobRefused, RunEnded, ShuttingDown
from rota.model.event import EventKind
from rota.model.job import Job
from rota.model.run import Actor, ActorKind, EndReason, Kind, Status, TriggeredBy, WaitKind
from rota.model.task import Stdin, Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from rota.model.run import Run


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    bed = Bed(tmp_path, [Task(name="task", run="true")])
    bed.config = replace(bed.config, jobs=Jobs(max_concurrent=2, max_queued=2))
    await bed.start()
    yield bed
    await bed.stop()


async def a_job(
    bed: Bed, at: datetime | None = None, env: dict[str, str] | None = None, **fields: object
) -> Run:
    job = Job(**{"command": "echo hello", "cwd": "/tmp", "stdin": Stdin.NONE} | fields)  # type: ignore[arg-type]
    return await bed.engine.triggering.start_job(job, env=env or {}, at=at, triggered_by=TriggeredBy.API)


async def test_a_job_runs_as_a_task_does_and_says_what_it_is(bed: Bed) -> None:
    actor = Actor(kind=ActorKind.MCP, name="claude")
    job = Job(
        command=("make", "test"),
        cwd="/srv",
        stdin=Stdin.NONE,
        name="build",
        tags=("ci",),
        timeout=timedelta(seconds=9),
    )

    started = await bed.engine.triggering.start_job(job, env={}, triggered_by=TriggeredBy.MCP, actor=actor)
    spawn = await bed.keeper.next_spawn()
    bed.keeper.end(started.id, 3)
    await bed.until(EventKind.RUN_ENDED, started.id)

    ended = await bed.run(started.id)
    assert (ended.kind, ended.task_name, ended.job, ended.actor) == (Kind.JOB, None, job, actor)
    assert (ended.end_reason, ended.exit_code) == (EndReason.FAILED, 3)
    assert (spawn.argv, spawn.cwd, spawn.timeout) == (("make", "test"), "/srv", timedelta(seconds=9))


async def test_text_goes_to_the_shell_which_goes_on_after_a_failure(bed: Bed) -> None:
    await a_job(bed, command="grep nothing f; echo next")

    assert (await bed.keeper.next_spawn()).argv == ("/bin/sh", "-c", "grep nothing f; echo next")


async def test_a_job_finds_a_login_and_not_the_server_s_environment(bed: Bed, monkeypatch) -> None:
    monkeypatch.setenv("SERVER_SECRET", "x")

    run = await a_job(bed, env={"LANG": "fr_FR.UTF-8", "MINE": "1"})

    env = dict((await bed.keeper.next_spawn()).env)
    assert {"HOME", "USER", "LOGNAME", "SHELL", "PATH"} <= env.keys()
    assert (env["LANG"], env["MINE"], env["ROTA_RUN_ID"]) == ("fr_FR.UTF-8", "1", run.id)
    assert not {"SERVER_SECRET", "ROTA_TASK", "ROTA_AUTH"} & env.keys()


async def test_input_and_terminal_are_as_the_job_says(bed: Bed) -> None:
    await a_job(bed, stdin=Stdin.PIPE)
    piped = await bed.keeper.next_spawn()
    await a_job(bed, pty=True)
    typed = await bed.keeper.next_spawn()

    assert (piped.stdin, piped.pty) == (Stdin.PIPE, False)
    assert (typed.stdin, typed.pty) == (Stdin.NONE, True)


async def test_more_jobs_than_may_run_wait_and_name_those_that_run(bed: Bed) -> None:
    first, second = await a_job(bed), await a_job(bed)

    third = await a_job(bed)

    assert third.waiting_for is not None
    assert (third.waiting_for.kind, third.waiting_for.run_ids) == (WaitKind.JOBS, (first.id, second.id))
    created = await bed.until(EventKind.RUN_CREATED, third.id)
    assert created.run == third
    bed.keeper.end(first.id)
    await bed.until(EventKind.RUN_STARTED, third.id)
    assert bed.engine.runs.shown(await bed.run(third.id)).waiting_for is None


async def test_one_more_than_may_wait_is_turned_away(bed: Bed) -> None:
    for _ in range(4):
        await a_job(bed)

    fifth = await a_job(bed)

    assert fifth.end_reason is EndReason.QUEUE_FULL
    assert fifth.message is not None
    assert "max_queued = 2" in fifth.message


async def test_jobs_take_no_slot_of_a_task_nor_a_task_of_theirs(bed: Bed) -> None:
    for _ in range(3):
        await a_job(bed)

    run = await bed.trigger("task")

    assert run.hand_over is not None


async def test_a_job_for_later_waits_for_its_time_and_no_other(bed: Bed) -> None:
    later = await a_job(bed, at=NOON + timedelta(seconds=90))
    assert later.waiting_for is not None
    assert (later.waiting_for.kind, later.scheduled_at) == (WaitKind.TIME, NOON + timedelta(seconds=90))
    sooner = await a_job(bed, at=NOON + timedelta(seconds=30))

    await bed.tick(29)
    assert bed.keeper.began == []
    await bed.tick(1)
    await bed.until(EventKind.RUN_STARTED, sooner.id)
    assert bed.keeper.began == [sooner.id]
    await bed.tick(60)
    await bed.until(EventKind.RUN_STARTED, later.id)

    spawn = bed.keeper.spawns[-1]
    assert spawn.env["ROTA_SCHEDULED_AT"] == "2026-03-02T12:01:30Z"


async def test_a_job_whose_time_comes_while_all_slots_are_taken_waits_however_many_do(bed: Bed) -> None:
    later = await a_job(bed, at=NOON + timedelta(seconds=5))
    running = [await a_job(bed) for _ in range(4)][:2]

    await bed.tick(5)
    await settle()

    shown = bed.engine.runs.shown(await bed.run(later.id))
    assert shown.waiting_for is not None
    assert shown.waiting_for.run_ids == tuple(run.id for run in running)


async def test_a_job_for_later_can_be_cancelled(bed: Bed) -> None:
    later = await a_job(bed, at=NOON + timedelta(seconds=5), env={"SECRET": "x"})

    cancelled = await bed.engine.runs.stop(later.id, by="a test")
    await bed.tick(10)

    assert (cancelled.end_reason, cancelled.sealed) == (EndReason.STOPPED, None)
    assert bed.keeper.spawns == []
    with pytest.raises(RunEnded):
        await bed.engine.runs.stop(later.id, by="a test")


@pytest.mark.parametrize("away", [10, 300], ids=["back in time", "back too late"])
async def test_a_job_for_later_outlives_its_server_and_starts_once(bed: Bed, away: int) -> None:
    later = await a_job(bed, at=NOON + timedelta(seconds=60), env={"SECRET": "x"})

    await bed.crash()
    bed.clock.advance(away)
    await bed.start()
    await bed.tick(60)
    await bed.until(EventKind.RUN_STARTED, later.id)

    assert bed.keeper.began == [later.id]
    assert bed.keeper.spawns[-1].env["SECRET"] == "x"


async def test_a_job_that_waits_outlives_its_server_with_its_environment(bed: Bed) -> None:
    first, second = await a_job(bed), await a_job(bed)
    waits = await a_job(bed, command=("env",), env={"SECRET": "x"}, name="build")

    await bed.crash()
    bed.keeper.end(first.id)
    await bed.start()
    await bed.until(EventKind.RUN_STARTED, waits.id)

    spawn = bed.keeper.spawns[-1]
    assert (spawn.run_id, spawn.argv, spawn.env["SECRET"]) == (waits.id, ("env",), "x")
    assert (await bed.run(first.id)).end_reason is EndReason.SUCCESS
    assert (await bed.run(second.id)).status is Status.RUNNING


async def test_a_job_that_was_committed_and_not_spawned_is_spawned_with_its_environment(bed: Bed) -> None:
    bed.keeper.link.spawn = lambda spawn: None  # type: ignore[union-attr, method-assign]  # it never arrives
    run = await a_job(bed, env={"SECRET": "x"})

    await bed.crash()
    await bed.start()

    spawn = await bed.keeper.next_spawn()
    assert (spawn.run_id, spawn.env["SECRET"]) == (run.id, "x")


async def test_a_job_is_lost_with_its_keeper_and_never_started_again(bed: Bed) -> None:
    run = await a_job(bed)
    await bed.until(EventKind.RUN_STARTED, run.id)

    dead, bed.keeper = bed.keeper, FakeKeeper(keeper_id="keeper-2")
    dead.die()
    await bed.until(EventKind.RUN_ENDED, run.id)

    assert (await bed.run(run.id)).end_reason is EndReason.LOST
    assert bed.keeper.spawns == []


async def test_a_secret_is_in_the_database_in_no_readable_form_and_gone_with_the_end(bed: Bed) -> None:
    secret = "correct-horse-battery-staple"
    run = await a_job(bed, env={"SECRET": secret})
    await bed.until(EventKind.RUN_STARTED, run.id)

    assert (bed.data / "key").stat().st_mode & 0o777 == 0o600
    for file in bed.data.glob("rota.db*"):
        assert secret.encode() not in file.read_bytes()
    assert _sealed(bed.data) != [None]
    bed.keeper.end(run.id)
    await bed.until(EventKind.RUN_ENDED, run.id)
    assert _sealed(bed.data) == [None]


async def test_a_job_whose_key_is_gone_is_not_started_without_its_environment(bed: Bed) -> None:
    later = await a_job(bed, at=NOON + timedelta(seconds=5), env={"SECRET": "x"})

    await bed.stop()
    (bed.data / "key").unlink()
    await bed.start()
    await bed.tick(5)
    await bed.until(EventKind.RUN_ENDED, later.id)

    ended = await bed.run(later.id)
    assert ended.end_reason is EndReason.START_FAILED
    assert ended.message is not None
    assert ended.message.startswith("its environment cannot be read: the key ")
    assert bed.keeper.spawns == []


async def test_without_an_environment_no_key_is_made(bed: Bed) -> None:
    await a_job(bed)

    assert not (bed.data / "key").exists()


async def test_a_shutdown_cancels_what_waits_and_ends_what_runs(bed: Bed) -> None:
    running = await a_job(bed)
    later = await a_job(bed, at=NOON + timedelta(days=1))
    await bed.until(EventKind.RUN_STARTED, running.id)

    await bed.engine.shutdown()

    assert (await bed.run(running.id)).end_reason is EndReason.STOPPED
    assert (await bed.run(later.id)).end_reason is EndReason.STOPPED
    with pytest.raises(ShuttingDown):
        await a_job(bed)


async def test_jobs_of_a_user_that_there_is_not_are_refused(bed: Bed) -> None:
    await bed.stop()
    bed.config = replace(bed.config, jobs=Jobs(user="nobody-of-this-name"))
    await bed.start()

    with pytest.raises(JobRefused, match=r"\[jobs\] user: .*nobody-of-this-name"):
        await a_job(bed)


async def test_ended_jobs_go_when_there_are_more_than_are_kept(bed: Bed) -> None:
    await bed.stop()
    bed.config = replace(bed.config, jobs=Jobs(keep_runs=2))
    bed.keeper.at_once = True
    await bed.start()
    task = await bed.trigger("task")
    jobs = [await a_job(bed, tags=("ci",), at=NOON if n == 0 else None) for n in range(4)]
    for job in jobs:
        await bed.until(EventKind.RUN_ENDED, job.id)

    await bed.tick(2)
    await bed.until(EventKind.RUN_DELETED, jobs[1].id)

    assert [await bed.store.run(job.id) is not None for job in jobs] == [False, False, True, True]
    assert await bed.store.run(task.id) is not None


def _sealed(data: Path) -> list[str | None]:
    connection = sqlite3.connect(data / "rota.db")
    try:
        return [sealed for (sealed,) in connection.execute("SELECT sealed FROM runs")]
    finally:
        connection.close()
