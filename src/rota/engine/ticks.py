"""Ticks: what starts by itself, from the first turn of the scheduler to the last, and what is told of it."""

from __future__ import annotations

from bisect import insort
from contextlib import asynccontextmanager
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from rota.engine.scheduler import Scheduler
from rota.engine.timetable import Coming, upcoming
from rota.engine.why import HARDLY_WAITED, fates, unrecorded_ticks, waited_for_others, wanted_at
from rota.model.error import ShuttingDown
from rota.timing.planner import Planner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.intake import Intake
    from rota.engine.pauses import Pauses
    from rota.engine.runs import Runs
    from rota.engine.slots import Slots
    from rota.engine.store_watch import StoreWatch
    from rota.engine.turns import Turns
    from rota.engine.why import TickFate
    from rota.model.run import Run, RunId, WaitingFor
    from rota.model.task import Task
    from rota.storage.store import Store
    from rota.timing.schedule import Schedule

EXPLAINED = 50
"""Of so many ticks it is looked up which other tasks' runs they have waited for."""

OTHERS = 200
"""So many more of a task's runs are looked at for those that were in the way of its ticks."""

_due_at = attrgetter("due_at")


class Ticks:
    """The schedules of the tasks that have any. They are made to count by `begin`, and no more by `stop`."""

    def __init__(
        self,
        *,
        tasks: Mapping[str, Task],
        intake: Intake,
        turns: Turns,
        pauses: Pauses,
        runs: Runs,
        slots: Slots,
        store: Store,
        clock: Clock,
        watch: StoreWatch,
        background: Background,
    ) -> None:
        self._tasks = tasks
        self._intake = intake
        self._turns = turns
        self._pauses = pauses
        self._runs = runs
        self._slots = slots
        self._store = store
        self._clock = clock
        self._watch = watch
        self._background = background
        self._schedules: Mapping[str, tuple[Schedule, ...]] = {}
        self._since: Mapping[str, datetime] = {}
        self._planner: Planner | None = None
        self._scheduler: Scheduler | None = None

    @property
    def count(self) -> bool:
        """Whether they have begun, and are not stopped."""
        return self._scheduler is not None

    def take(self, schedules: Mapping[str, tuple[Schedule, ...]], since: Mapping[str, datetime]) -> None:
        """Go by these, each of which its task has had `since` then. Once begun, `between_turns` is held."""
        self._schedules, self._since = schedules, since
        if self._planner is not None and self._scheduler is not None:
            self._planner.change(schedules, since, catch_up=self._catch_up())
            self._scheduler.forget_others(schedules)

    async def begin(self) -> None:
        """Let them count: those to come, and those since an earlier server decided on the last one."""
        self._planner = Planner(
            self._schedules,
            {**self._since, **await self._told()},
            horizon=await self._store.horizon(),
            now=self._clock.now(),
            catch_up=self._catch_up(),
        )
        self._scheduler = Scheduler(
            planner=self._planner,
            intake=self._intake,
            store=self._store,
            clock=self._clock,
            watch=self._watch,
            background=self._background,
        )
        self._background.loop(self._scheduler.run(), "scheduler")

    @asynccontextmanager
    async def between_turns(self) -> AsyncIterator[None]:
        """While this is held none is being claimed. Raises ShuttingDown when none is any more."""
        if self._scheduler is None:
            raise ShuttingDown
        async with self._scheduler.between_turns():
            yield

    def close(self) -> None:
        """Claim none any more: what becomes due is the next server's."""
        if self._scheduler is not None:
            self._scheduler.close()

    async def stop(self) -> None:
        """Remember how far they were decided, once nothing claims any."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            await scheduler.save_horizon()

    async def settled(self) -> datetime | None:
        """Up to when it is on file that each has been decided."""
        if self._scheduler is not None:
            await self._scheduler.save_horizon()
        return await self._store.horizon()

    def next(self, task_name: str, count: int) -> list[Coming]:
        """What starts next by itself of the task; fewer when there is no more."""
        ticks = upcoming(self._schedules.get(task_name, ()), self._clock.now())
        return self._soonest(((task_name, at) for at in ticks), self._turns.early(task_name), count)

    def coming(self, count: int) -> list[Coming]:
        """What starts next by itself of all tasks; nothing of what is paused."""
        paused = {name for name in self._schedules if self._pauses.of(name)}
        ticks = self._planner.coming(but=paused) if self._planner is not None else iter(())
        early = [run for run in self._turns.early() if self._pauses.holding_run(run) is None]
        return self._soonest(((tick.task_name, tick.at) for tick in ticks), early, count)

    async def why(self, task_name: str, count: int) -> list[TickFate]:
        """What became of the task's last ticks, the oldest first."""
        ticks = [self._runs.shown(run) for run in await self._store.last_ticks(task_name, count)]
        others = [*self._runs.running(task_name), *await self._store.last_runs(task_name, count + OTHERS)]
        unrecorded = []
        if self._planner is not None and task_name in self._since:
            until = self._planner.horizon
            schedules, since = self._schedules[task_name], self._since[task_name]
            unrecorded = unrecorded_ticks(ticks, schedules, since=since, until=until)
        return fates(ticks, others, unrecorded, await self._shared(self._tasks[task_name], ticks, others))

    async def _shared(
        self, task: Task, ticks: Iterable[Run], others: Sequence[Run]
    ) -> Mapping[RunId, WaitingFor]:
        """Of the newest ticks that waited though their task was free what they have waited for."""
        shared = [*self._slots.shared(task)]
        found: dict[RunId, WaitingFor] = {}
        waited = (run for run in ticks if waited_for_others(run, others)) if shared else ()
        for run in islice(waited, EXPLAINED):
            living = await self._store.living_at(wanted_at(run) + HARDLY_WAITED)
            taken = next((each for slots in shared if (each := slots.taken_by(living)) is not None), None)
            if taken is not None:
                found[run.id] = taken
        return found

    def _catch_up(self) -> dict[str, int]:
        return {name: self._tasks[name].catch_up for name in self._schedules}

    async def _told(self) -> dict[str, datetime]:
        """Up to when the ticks of each task have been told of.

        A server that was killed may have written a tick's run, and not that it had decided on it. To another
        run of the tick that one is in the way; not so to a run that tells of several which a pause let go by.
        """
        now, told = self._clock.now(), await self._store.told_until()
        return {
            name: max(self._since[name], min(told[name], now)) for name in self._schedules if name in told
        }

    def _soonest(
        self, ticks: Iterable[tuple[str, datetime]], early: Iterable[Run], count: int
    ) -> list[Coming]:
        """As many of these as are wanted, as they are due; ticks come in their order, without jitter."""
        found = [
            Coming(task_name=run.task_name, scheduled_at=run.scheduled_at, due_at=run.due, run_id=run.id)
            for run in early
            if run.task_name is not None and run.scheduled_at is not None and run.due is not None
        ]
        found.sort(key=_due_at)
        for name, at in ticks:
            if len(found) >= count and at >= found[count - 1].due_at:
                break  # from here on all are due later
            due_at = self._intake.due_at(self._tasks[name], at) or at
            insort(found, Coming(task_name=name, scheduled_at=at, due_at=due_at), key=_due_at)
        return found[:count]
