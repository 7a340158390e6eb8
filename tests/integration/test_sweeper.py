"""The sweeper on a real store and real files: rows and files go together, whatever is interrupted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from engine_bed import NOON, HandClock
from uuid_utils import uuid7

from rota.engine.sweeper import Sweeper
from rota.events.bus import Bus
from rota.logs import disk, place
from rota.model.event import EventKind
from rota.model.run import Cause, Ending, EndReason, HandOver, Run, RunId, TriggeredBy
from rota.model.task import Task
from rota.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TO = HandOver(attempt="t", keeper_id="k", boot_id="b")


class Bed:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.store = Store.open(data)
        self.bus = Bus(1)
        self.clock = HandClock()
        self.open: list[RunId] = []

    def sweeper(self, *tasks: Task, max_size: int = 0) -> Sweeper:
        sweeper = Sweeper(
            rules={task.name: task for task in tasks}, store=self.store, bus=self.bus, clock=self.clock,
            data=self.data, running=lambda: self.open,
        )  # fmt: skip
        sweeper.take(max_size=max_size)
        return sweeper

    async def running(self, task: str = "a", size: int = 10_000, **more: Any) -> Run:
        run = Run(
            id=RunId(str(uuid7())), task_name=task, triggered_by=TriggeredBy.API, created_at=self.clock.now(),
            hand_over=TO, **more,
        )  # fmt: skip
        await self.store.create(run)
        started = run.started(at=self.clock.now(), pid=7)
        await self.store.move(run, started)
        for suffix in (place.LOG, place.INDEX, place.SYSTEM):
            path = self.file(run, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * (size if suffix == place.LOG else 48))
        return started

    async def ended(self, task: str = "a", size: int = 10_000, **more: Any) -> Run:
        return await self.end(await self.running(task, size, **more))

    async def end(self, run: Run) -> Run:
        over = run.ended(EndReason.LOST, Ending(cause=Cause.LOST, end_at=self.clock.now()))
        await self.store.move(run, over, log_size=disk.size_of_log(self.data, run.id))
        return over

    def file(self, run: Run, suffix: str) -> Path:
        return self.data / "runs" / run.id[:7] / (run.id + suffix)

    def files(self, run: Run) -> int:
        return sum(self.file(run, suffix).exists() for suffix in (place.LOG, place.INDEX, place.SYSTEM))

    async def kept(self, *runs: Run) -> list[bool]:
        """Whether each is there, with its files; None of it may be there in part."""
        found = [await self.store.run(run.id) is not None for run in runs]
        assert [bool(self.files(run)) for run in runs] == found
        return found


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    bed = Bed(tmp_path)
    yield bed
    await bed.store.close()


async def test_the_oldest_ended_runs_go_with_their_files_and_it_is_told(bed: Bed) -> None:
    runs = [await bed.ended() for _ in range(5)]
    other = await bed.ended("other")
    events = bed.bus.subscribe(kinds=[EventKind.RUN_DELETED])

    await bed.sweeper(Task(name="a", run="x", keep_runs=2)).turn()

    assert await bed.kept(*runs, other) == [False, False, False, True, True, True]
    told = [(await anext(aiter(events))).run for _ in range(3)]
    assert told == runs[:3]
    assert await bed.store.removals(10) == []


async def test_a_run_that_has_not_ended_stays_however_old_it_is(bed: Bed) -> None:
    old = await bed.running()
    runs = [await bed.ended() for _ in range(3)]
    bed.clock.advance(1000)

    await bed.sweeper(Task(name="a", run="x", keep_runs=1, keep_for=timedelta(seconds=1))).turn()

    assert await bed.kept(old, *runs) == [True, False, False, False]
    assert await bed.store.delete([old.id]) == ([], 0)


async def test_runs_go_when_their_time_is_over(bed: Bed) -> None:
    sweeper = bed.sweeper(Task(name="a", run="x", keep_for=timedelta(seconds=100)))
    first = await bed.ended()
    bed.clock.advance(60)
    second = await bed.ended()
    await sweeper.turn()
    assert await bed.kept(first, second) == [True, True]

    bed.clock.advance(60)
    await sweeper.turn()

    assert await bed.kept(first, second) == [False, True]


async def test_an_end_has_its_task_looked_at_and_no_other(bed: Bed) -> None:
    sweeper = bed.sweeper(Task(name="a", run="x", keep_runs=1))
    await sweeper.turn()
    first, second = await bed.ended(), await bed.ended()

    await sweeper.turn()
    assert await bed.kept(first, second) == [True, True]
    sweeper.ended(second, 1)
    await sweeper.turn()

    assert await bed.kept(first, second) == [False, True]


async def test_more_runs_than_fit_into_one_transaction_go_in_one_turn(bed: Bed, monkeypatch: Any) -> None:
    monkeypatch.setattr("rota.engine.sweeper.BATCH", 3)
    runs = [await bed.ended() for _ in range(11)]

    await bed.sweeper(Task(name="a", run="x", keep_runs=1)).turn()

    assert await bed.kept(*runs) == [False] * 10 + [True]


async def test_files_that_a_killed_server_had_no_time_to_remove_go_at_the_next_start(bed: Bed) -> None:
    killed, stays, open_run = await bed.ended(), await bed.ended(), await bed.running()
    await bed.store.delete([killed.id])
    assert bed.files(killed) == 3

    sweeper = bed.sweeper(Task(name="a", run="x"))
    await sweeper._remove_listed()

    assert await bed.kept(killed, stays, open_run) == [False, True, True]


async def test_the_oldest_logs_make_room_and_their_runs_stay(bed: Bed) -> None:
    runs = [await bed.ended(size=100_000) for _ in range(10)]
    each = disk.size_of_log(bed.data, runs[0].id)
    sweeper = bed.sweeper(max_size=each * 7)

    await sweeper.turn()

    left = [bool(bed.files(run)) for run in runs]
    assert left == [False] * 4 + [True] * 6
    assert all([await bed.store.run(run.id) for run in runs])
    assert await bed.store.log_removed_at(runs[0].id) == NOON
    assert await bed.store.log_removed_at(runs[9].id) is None
    assert await bed.store.log_total() == each * 6


async def test_what_is_being_written_counts_and_is_never_removed(bed: Bed) -> None:
    live = await bed.running(size=500_000)
    bed.open = [live.id]
    ended = await bed.ended(size=100_000)

    await bed.sweeper(max_size=400_000).turn()

    assert (bed.files(live), bed.files(ended)) == (3, 0)


async def test_a_run_that_ends_while_it_is_measured_is_counted_once(bed: Bed, monkeypatch: Any) -> None:
    first, second = [await bed.ended(size=100_000) for _ in range(2)]
    ends = await bed.running(size=100_000)
    bed.open = [ends.id]
    sweeper = bed.sweeper(max_size=250_000)
    measure = sweeper._size_of
    loop = asyncio.get_running_loop()

    def measured_as_it_ends(run_ids: list[RunId]) -> int:
        size = measure(run_ids)
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        return size

    async def end() -> None:
        over = await bed.end(ends)
        bed.open = []
        sweeper.ended(over, disk.size_of_log(bed.data, over.id))

    monkeypatch.setattr(sweeper, "_size_of", measured_as_it_ends)

    await sweeper.turn()

    assert [bed.files(run) for run in (first, second, ends)] == [0, 3, 3]


async def test_a_long_run_that_ends_after_younger_ones_were_removed_makes_room_in_its_turn(bed: Bed) -> None:
    long_run = await bed.running(size=100_000)
    bed.open = [long_run.id]
    sweeper = bed.sweeper(max_size=250_000)
    for _ in range(4):
        run = await bed.ended(size=100_000)
        sweeper.ended(run, disk.size_of_log(bed.data, run.id))
    await sweeper.turn()
    bed.open = []
    over = await bed.end(long_run)
    sweeper.ended(over, disk.size_of_log(bed.data, over.id))
    last = await bed.ended(size=100_000)
    sweeper.ended(last, disk.size_of_log(bed.data, last.id))

    await sweeper.turn()

    assert (bed.files(long_run), bed.files(last)) == (0, 3)


async def test_a_store_that_cannot_write_keeps_everything(bed: Bed, monkeypatch: Any) -> None:
    runs = [await bed.ended() for _ in range(3)]

    async def fail(*_: object, **__: object) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr(bed.store, "delete", fail)
        sweeper = bed.sweeper(Task(name="a", run="x", keep_runs=1))
        with pytest.raises(OSError, match="no"):
            await sweeper.turn()
    assert await bed.kept(*runs) == [True] * 3


async def test_a_run_that_was_deleted_twice_is_deleted_once(bed: Bed) -> None:
    run = await bed.ended()
    size = disk.size_of_log(bed.data, run.id)

    assert await bed.store.delete([run.id, replace(run).id]) == ([run.id], size)
    assert await bed.store.delete([run.id]) == ([], 0)
