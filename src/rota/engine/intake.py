"""The intake: every trigger and tick becomes a run, and the run gets its fate, in one commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rota.engine.admission import Fate
from rota.engine.missed import missed_run
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import Ending, EndReason, Run, Status, TriggeredBy
from rota.model.task import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock, Ids
    from rota.engine.handing import Handing
    from rota.engine.ledger import Ledger
    from rota.engine.slots import Slots
    from rota.engine.store_watch import StoreWatch
    from rota.events.bus import Bus
    from rota.model.run import RunId
    from rota.model.task import Task
    from rota.storage.requests import Request
    from rota.storage.store import Store
    from rota.timing.gap import Gap
    from rota.timing.planner import Tick

#: What the trigger is answered, as an idempotent repetition of it has to be answered again.
STATUS_CODES = {
    Fate.START: 201,
    Fate.QUEUE: 201,
    Fate.REPLACE: 201,
    Fate.SKIP: 409,
    Fate.FULL: 429,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Why there is to be a run."""

    triggered_by: TriggeredBy
    params: Mapping[str, str | None]
    scheduled_at: datetime | None = None


class Intake:
    """Makes runs, and keeps the slots right while their commits are under way."""

    def __init__(
        self,
        *,
        tasks: Mapping[str, Task],
        store: Store,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        watch: StoreWatch,
        background: Background,
        ledger: Ledger,
        slots: Slots,
        handing: Handing,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._watch = watch
        self._background = background
        self._ledger = ledger
        self._slots = slots
        self._handing = handing

    async def trigger(self, task: Task, asked: Asked, request: Request | None) -> Run:
        """Write one run down and set it going; the run as it was written.

        Raises StoreUnavailable and KeyTaken, having changed nothing.
        """
        run, fate = self._make(task, asked, self._clock.now())
        if request is not None:
            request = replace(request, run_id=run.id, status_code=STATUS_CODES[fate], at=run.created_at)
        try:
            written = self._store.create(run, request=request, synced=run.status is not Status.ENDED)
        except StoreUnavailable as error:
            self._is_refused(run, error)
            raise
        self._background.attend(written, partial(self._written, run))
        await asyncio.shield(written)  # it is carried out even if who asked goes away
        return run

    async def ticks(self, ticks: Sequence[Tick], gaps: Iterable[Gap]) -> None:
        """Claim ticks by writing their runs, all in one commit; one that has its run already starts nothing.

        Raises StoreUnavailable, having changed nothing.
        """
        now = self._clock.now()
        runs = [
            self._make(
                self._tasks[tick.task_name],
                Asked(triggered_by=TriggeredBy.CRON, params={}, scheduled_at=tick.at),
                now,
            )[0]
            for tick in ticks
        ]
        missed = [missed_run(gap, run_id=self._ids.run(), now=now) for gap in gaps]
        synced = any(run.status is not Status.ENDED for run in runs)
        try:
            claimed = await self._store.create_many(runs + missed, synced=synced)
        except Exception as error:  # not when cut off: it may be written all the same
            if isinstance(error, StoreUnavailable):
                self._watch.failed(error)
            for run in runs:
                self.free(run)
            raise
        ours = {run.id for run in claimed}
        for run in claimed:
            self._is_created(run)
        for run in runs:
            if run.id not in ours:
                self.free(run)

    def take_up(self, open_runs: Iterable[Run]) -> None:
        """The runs that an earlier server left open: those that were handed over have their slots."""
        for run in open_runs:
            self._ledger.enter(run)
            if run.hand_over is not None:
                self._slots.hold(run.task_name, run.id)
            else:
                self._slots.wait(run.task_name, run.id)

    def go_on(self) -> None:
        """Once the keeper's list is reconciled: start who has his turn, end who waits in vain."""
        for task_name in self._slots.task_names():
            if task_name not in self._tasks:
                self._end_waiting(task_name)
                continue
            self._turn(self._slots.promote(task_name))
            self._make_room(task_name)

    def free(self, run: Run) -> None:
        """The run has its place no more; whose turn it is now goes on."""
        self._turn(self._slots.free(run.task_name, run.id))

    def _make(self, task: Task, asked: Asked, now: datetime) -> tuple[Run, Fate]:
        """A run in the state that its fate wants it written in, its place kept."""
        run_id = self._ids.run()
        fate = self._slots.take(task, run_id)
        at_once = fate is Fate.START and self._handing.possible
        run = Run(
            id=run_id,
            task_name=task.name,
            triggered_by=asked.triggered_by,
            params=asked.params,
            created_at=now,
            scheduled_at=asked.scheduled_at,
            hand_over=self._handing.sign() if at_once else None,
        )
        if fate is Fate.SKIP:
            message = "the task was running, and on_overlap is skip"
            return run.ended(EndReason.SKIPPED, Ending(end_at=now, message=message)), fate
        if fate is Fate.FULL:
            message = f"the task was running, and as many waited as may (max_queued = {task.max_queued})"
            return run.ended(EndReason.QUEUE_FULL, Ending(end_at=now, message=message)), fate
        return run, fate

    def _written(self, run: Run, written: asyncio.Future[Any]) -> None:
        error = written.exception()
        if error is None:
            self._is_created(run)
        else:
            self._is_refused(run, error)

    def _is_refused(self, run: Run, error: BaseException) -> None:
        if isinstance(error, StoreUnavailable):
            self._watch.failed(error)
        self.free(run)

    def _is_created(self, run: Run) -> None:
        """The commit is done: tell, and go on."""
        if run.status is Status.ENDED:
            self._bus.emit(EventKind.RUN_CREATED, run.created_at, run)
            self._bus.emit(EventKind.RUN_ENDED, run.created_at, run)
            return
        self._ledger.enter(run)
        self._bus.emit(EventKind.RUN_CREATED, run.created_at, run)
        if run.hand_over is not None:
            self._handing.send(run)
        elif self._slots.holds(run.task_name, run.id):  # its turn came at once, or while it was written
            self._handing.add(run.id)
        self._make_room(run.task_name)

    def _turn(self, run_ids: Iterable[RunId]) -> None:
        for run_id in run_ids:
            if self._is_written(run_id):  # else it is still being written, and added after that
                self._handing.add(run_id)

    def _make_room(self, task_name: str) -> None:
        """`replace`: of those who wait only the newest goes on, and a holder leaves for it.

        Done after the commit of the newer one: if that fails, nothing has happened to the others.
        """
        if self._tasks[task_name].on_overlap is not Overlap.REPLACE:
            return
        for run_id in self._slots.displaced(task_name, self._is_written):
            entry = self._ledger.find(run_id)
            if entry is not None:
                self._slots.free(task_name, run_id)
                ending = Ending(end_at=self._clock.now(), message="a newer run took its place")
                self._ledger.ended(entry, EndReason.SKIPPED, ending)
        victim = self._slots.victim(task_name, self._is_written)
        entry = self._ledger.find(victim) if victim is not None else None
        if victim is not None and entry is not None:
            self._slots.leave(task_name, victim)
            self._handing.ask_to_stop(entry, "a newer run, which replaces it")

    def _is_written(self, run_id: RunId) -> bool:
        return self._ledger.find(run_id) is not None

    def _end_waiting(self, task_name: str) -> None:
        for run_id in self._slots.waiting(task_name):
            entry = self._ledger.find(run_id)
            if entry is not None:
                ending = Ending(
                    end_at=self._clock.now(), message="its task is no longer in the configuration"
                )
                self._ledger.ended(entry, EndReason.START_FAILED, ending)
