"""Servers, keepers and disks fail in any order: no run starts twice, none is forgotten, no slot is lost."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from engine_bed import PATIENCE, Bed, FakeKeeper, settle
from structlog.testing import capture_logs

from rota.config.config import Group, Server
from rota.model.error import RotaError
from rota.model.pause import PauseKind, Scope
from rota.model.run import EndReason, Run, RunId, Status, TriggeredBy
from rota.model.task import Overlap, Task

TASKS = (
    Task(name="queue", run="true", group="shared", max_concurrent=2, max_queued=4),
    Task(name="skip", run="true", group="shared", priority=1, on_overlap=Overlap.SKIP),
    Task(name="replace", run="true", on_overlap=Overlap.REPLACE),
    Task(name="tick", run="true", cron=("*/5 * * * * *",), max_queued=2),
)

LIMITS = {"groups": {"shared": Group(max_concurrent=2)}, "server": Server(max_concurrent=3)}

SCOPES = (
    *(Scope(kind=PauseKind.TASK, name=task.name) for task in TASKS),
    Scope(kind=PauseKind.GROUP, name="shared"),
    Scope(kind=PauseKind.ALL),
)

#: What the log says when something goes wrong that is no failure of disk or keeper, but ours.
FAULTS = (
    "background work failed",
    "a turn of the scheduler failed",
    "a message of the keeper could not be taken in",
    "the link to the keeper broke",
    "healing the store failed",
    "a run was changed behind the server's back",
    "the keeper runs what the store does not know; it is stopped",
)


class Chaos:
    """One bed, and what may happen to it."""

    def __init__(self, data: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.bed = Bed(data, TASKS, **LIMITS)
        self.keepers = [self.bed.keeper]
        self.asked: dict[RunId, Run] = {}
        self.work: list[asyncio.Task[None]] = []

    async def run(self, steps: int) -> None:
        bed = self.bed
        await bed.start()
        acts = [
            *[self.trigger] * 8, *[self.end] * 8, *[self.stop] * 3, *[self.time] * 6, *[self.settle] * 4,
            *[self.pause] * 2, *[self.resume] * 2, self.refuse, self.disk, self.cut,
            self.kill_keeper, self.restart, self.crash,
        ]  # fmt: skip
        for _ in range(steps):
            await self.random.choice(acts)()
            for task in TASKS:
                running = sum(self.name_of(run_id) == task.name for run_id in bed.keeper.running)
                assert running <= task.max_concurrent
            names = [self.name_of(run_id) for run_id in bed.keeper.running]
            assert names.count("queue") + names.count("skip") <= 2
            assert len(names) <= 3
        await self.recover()

    async def recover(self) -> None:
        """Everything works again, and every program ends."""
        bed = self.bed
        bed.store.broken = bed.keeper.refusing = False
        bed.config = Bed(bed.data, TASKS[:3], **LIMITS).config  # nothing new becomes due
        await self.restart()
        for pause in bed.engine.pausing.in_force():
            await bed.engine.pausing.resume(pause.scope)
        async with asyncio.timeout(PATIENCE):
            while await bed.store.open_runs():
                for run_id in list(bed.keeper.running):
                    bed.keeper.end(run_id)
                bed.clock.advance(1)
                await asyncio.sleep(0.001)

    async def trigger(self) -> None:
        async def ask(name: str) -> None:
            with suppress(RotaError):
                run = await self.bed.trigger(name)
                self.asked[run.id] = run

        self.work.append(asyncio.create_task(ask(self.random.choice(TASKS).name)))

    async def stop(self) -> None:
        async def ask(run_id: RunId) -> None:
            with suppress(RotaError):
                await self.bed.engine.runs.stop(run_id, by="chaos")

        if self.asked:
            self.work.append(asyncio.create_task(ask(self.random.choice(list(self.asked)))))

    async def pause(self) -> None:
        async def ask(scope: Scope) -> None:
            with suppress(RotaError):
                await self.bed.engine.pausing.pause(scope, reason=None, actor=None, via=TriggeredBy.API)

        self.work.append(asyncio.create_task(ask(self.random.choice(SCOPES))))

    async def resume(self) -> None:
        async def ask(scope: Scope) -> None:
            with suppress(RotaError):
                await self.bed.engine.pausing.resume(scope)

        self.work.append(asyncio.create_task(ask(self.random.choice(SCOPES))))

    async def end(self) -> None:
        keeper = self.bed.keeper
        if keeper.running:
            run_id = self.random.choice(list(keeper.running))
            if any(stopped == run_id for stopped, _ in keeper.stops):
                keeper.end_stopped(run_id)
            else:
                keeper.end(run_id, self.random.choice([0, 1]))

    async def time(self) -> None:
        self.bed.clock.advance(self.random.choice([0.2, 1, 1, 3]))

    async def settle(self) -> None:
        await asyncio.sleep(self.random.choice([0, 0, 0.002]))

    async def refuse(self) -> None:
        self.bed.keeper.refusing = not self.bed.keeper.refusing

    async def disk(self) -> None:
        self.bed.store.broken = not self.bed.store.broken

    async def cut(self) -> None:
        if self.bed.keeper.link is not None:
            self.bed.keeper.link.cut()

    async def kill_keeper(self) -> None:
        dead, self.bed.keeper = self.bed.keeper, FakeKeeper(keeper_id=f"keeper-{len(self.keepers) + 1}")
        self.keepers.append(self.bed.keeper)
        dead.die()

    async def crash(self) -> None:
        await self.bed.crash()
        await asyncio.gather(*self.work, return_exceptions=True)
        self.work.clear()
        await self.bed.start()

    async def restart(self) -> None:
        await self.bed.restart()
        await asyncio.gather(*self.work)
        self.work.clear()
        await settle()

    def name_of(self, run_id: RunId) -> str:
        return next(
            spawn.env["ROTA_TASK"]
            for keeper in self.keepers
            for spawn in keeper.spawns
            if spawn.run_id == run_id
        )


@pytest.mark.parametrize("seed", range(20))
async def test_no_run_starts_twice_and_none_is_forgotten(tmp_path: Path, seed: int) -> None:
    chaos = Chaos(tmp_path, seed)

    with capture_logs() as logs:
        await chaos.run(150)

    assert [entry for entry in logs if entry["event"] in FAULTS] == []
    started = Counter(run_id for keeper in chaos.keepers for run_id in keeper.began)
    assert not [run_id for run_id, times in started.items() if times > 1]
    for run_id in chaos.asked:
        run = await chaos.bed.run(run_id)
        assert run.status is Status.ENDED
        if run.end_reason in (EndReason.SUCCESS, EndReason.FAILED):
            assert started[run_id] == 1
    every = timedelta(seconds=5)
    told = [run for run in await chaos.bed.store.last_runs("tick", 1000) if run.scheduled_at]
    ticks = Counter(
        tick
        for run in told
        for tick in [run.scheduled_at - every * n for n in range(run.missed_ticks or 1)]  # type: ignore[operator]
    )
    assert not [tick for tick, times in ticks.items() if times > 1]
    after = [await chaos.bed.trigger(task.name) for task in TASKS[:3]]
    assert all(run.hand_over is not None for run in after)  # every slot is free again
    await chaos.bed.stop()
