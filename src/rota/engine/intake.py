"""The intake: every trigger and tick becomes a run, and the run gets its fate, in one commit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rota.engine.admission import Fate, refusal
from rota.engine.asked import Asked
from rota.engine.effective_params import effective_params
from rota.engine.lateness import Timing, timing_of
from rota.engine.missed import PausedTicks, missed_run, owed_ticks
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import Ending, EndReason, Run, Status, TriggeredBy
from rota.timing.gap import Gap
from rota.timing.jitter import due

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock, Ids
    from rota.engine.handing import Handing
    from rota.engine.later import Later
    from rota.engine.pauses import Pauses
    from rota.engine.slots import Slots
    from rota.engine.store_watch import StoreWatch
    from rota.engine.turns import Turns
    from rota.events.bus import Bus
    from rota.model.pause import Pause
    from rota.model.run import RunId
    from rota.model.task import Task
    from rota.storage.requests import Request
    from rota.storage.store import Store
    from rota.timing.planner import Tick

#: What becomes of a trigger that wants to start, and a pause does not keep.
_ASKED_AT_ONCE = frozenset({Fate.START, Fate.QUEUE, Fate.REPLACE})

#: What the trigger is answered, as an idempotent repetition of it has to be answered again.
STATUS_CODES = {
    Fate.START: 201,
    Fate.QUEUE: 201,
    Fate.REPLACE: 201,
    Fate.SKIP: 409,
    Fate.FULL: 429,
    Fate.EARLY: 201,
    Fate.KEPT: 201,
}


class Intake:
    """Makes runs, and keeps the slots right while their commits are under way."""

    def __init__(
        self,
        *,
        rules: Mapping[str, Task],
        store: Store,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        watch: StoreWatch,
        background: Background,
        slots: Slots,
        handing: Handing,
        later: Later,
        pauses: Pauses,
        turns: Turns,
    ) -> None:
        """`rules` are those of each task, and of all jobs."""
        self._rules = rules
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._watch = watch
        self._background = background
        self._slots = slots
        self._handing = handing
        self._later = later
        self._pauses = pauses
        self._turns = turns
        self._paused_ticks = PausedTicks()

    async def trigger(self, task: Task, asked: Asked, request: Request | None) -> Run:
        """Write one run down and set it going; the run as it was written.

        Raises StoreUnavailable and KeyTaken, having changed nothing.
        """
        run, written = self.begin(task, asked, request)
        await asyncio.shield(written)  # it is carried out even if who asked goes away
        return run

    def begin(
        self, task: Task, asked: Asked, request: Request | None = None
    ) -> tuple[Run, asyncio.Future[Any]]:
        """The run that is being written down, and is set going once it is; and who tells how that went.

        Raises StoreUnavailable, having changed nothing.
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
        return run, written

    async def ticks(self, ticks: Sequence[Tick], gaps: Iterable[Gap]) -> None:
        """Claim ticks by writing their runs, all in one commit; one that has its run already starts nothing.

        Raises StoreUnavailable, having changed nothing.
        """
        now = self._clock.now()
        runs: list[Run] = []
        missed: list[Run] = []
        paused: list[tuple[Gap, Pause]] = []
        for tick in ticks:
            pause = self._pauses.at(tick.task_name, now) or self._pauses.at(tick.task_name, tick.at)
            if pause is None:
                runs.append(self._of_tick(tick.task_name, tick.at, now))
            else:
                gap = Gap(task_name=tick.task_name, count=1, first=tick.at, newest=tick.at)
                paused.append((gap, pause))
        for gap in gaps:
            pause = self._pauses.at(gap.task_name, gap.newest)
            if pause is not None:
                paused.append((gap, pause))
                continue
            task = self._rules[gap.task_name]
            owed: Sequence[datetime] = ()
            if not self._pauses.of(gap.task_name):
                room, due = self._slots.room(task), partial(self._due, task)
                owed = owed_ticks(gap, task, now, room=room, due=due)
            missed.append(
                missed_run(gap, run_id=self._ids.run(), now=now, caught_up=len(owed), failures=task.failures)
            )
            runs += [self._of_tick(gap.task_name, at, now, TriggeredBy.CATCH_UP) for at in owed]
        await self._claim(runs, missed, paused)

    async def startup(self, tasks: Iterable[Task], keeper_id: str) -> None:
        """Write down the runs that a keeper's start makes; none if that was done for this keeper.

        Raises StoreUnavailable, having changed nothing.
        """
        now = self._clock.now()
        asked = Asked(triggered_by=TriggeredBy.STARTUP)
        await self._claim([self._make(task, asked, now)[0] for task in tasks], keeper_id=keeper_id)

    async def _claim(
        self,
        runs: Sequence[Run],
        missed: Sequence[Run] = (),
        paused: Collection[tuple[Gap, Pause]] = (),
        keeper_id: str | None = None,
    ) -> None:
        """Write these down, and go on with those that were free to be claimed."""
        synced = any(run.status is not Status.ENDED for run in runs)
        told, grown = self._paused_ticks.told(paused, rules=self._rules, ids=self._ids, now=self._clock.now())
        try:
            claimed = await self._store.create_many(
                [*missed, *told, *runs], grown=grown, synced=synced, keeper_id=keeper_id
            )
        except Exception as error:  # not when cut off: it may be written all the same
            if isinstance(error, StoreUnavailable):
                self._watch.failed(error)
            for run in runs:
                self._turns.free(run)
            raise
        ours = {run.id for run in claimed}
        grew = {each.run.id for each in grown}
        tell = {run.id for run in told} | grew | {each.anew.id for each in grown}
        self._paused_ticks.keep(run for run in claimed if run.id in tell)
        for run in claimed:
            if run.id in grew:
                self._bus.emit(EventKind.RUN_GREW, self._clock.now(), run)
            else:
                self._is_created(run)
        for run in runs:
            if run.id not in ours:
                self._turns.free(run)

    def due_at(self, task: Task, tick: datetime) -> datetime | None:
        """When a tick is due, if that is not its instant."""
        return due(tick, task.jitter, self._store.store_id, task.name) if task.jitter else None

    def _due(self, task: Task, tick: datetime) -> datetime:
        return self.due_at(task, tick) or tick

    def _of_tick(
        self, task_name: str, at: datetime, now: datetime, triggered_by: TriggeredBy = TriggeredBy.CRON
    ) -> Run:
        task = self._rules[task_name]
        due_at = self.due_at(task, at)
        if triggered_by is TriggeredBy.CATCH_UP and due_at is not None and due_at <= now:
            due_at = None  # it is too late already, and goes by its tick
        return self._make(task, Asked(triggered_by=triggered_by, scheduled_at=at, due_at=due_at), now)[0]

    def _make(self, task: Task, asked: Asked, now: datetime) -> tuple[Run, Fate]:
        """A run in the state that its fate wants it written in, its place kept."""
        effective = asked.effective or effective_params(task, {})
        run_id = self._ids.run()
        fate = self._fate_of(task, asked, run_id, now)
        at_once = fate is Fate.START and self._handing.possible
        run = Run(
            id=run_id,
            kind=asked.kind,
            task_name=task.name if asked.job is None else None,
            job=asked.job,
            triggered_by=asked.triggered_by,
            params=effective.params,
            actor=asked.actor,
            sealed=asked.sealed,
            rerun_of_run_id=asked.rerun_of,
            created_at=now,
            scheduled_at=asked.scheduled_at,
            due_at=asked.due_at,
            instance_index=asked.instance_index,
            despite_pause=self._despite_pause(task.name, fate),
            hand_over=self._handing.sign() if at_once else None,
            revision=self._handing.revision_of(task.name) if at_once else None,
        )
        pause = self._pauses.holding_run(run)
        if fate is Fate.PAUSED and pause is not None:
            return run.ended(
                EndReason.MISSED, Ending(end_at=now, message=pause.told), failures=task.failures
            ), fate
        if (refused := refusal(fate, task, run)) is not None:
            reason, message = refused
            return run.ended(reason, Ending(end_at=now, message=message), failures=task.failures), fate
        return run, fate

    def _despite_pause(self, name: str, fate: Fate) -> str | None:
        """How the pause is that somebody does not keep to who starts a run now."""
        pause = next(iter(self._pauses.of(name)), None)
        return None if pause is None or fate not in _ASKED_AT_ONCE else pause.told

    def _fate_of(self, task: Task, asked: Asked, run_id: RunId, now: datetime) -> Fate:
        pause = self._pauses.holding(task.name, asked, now)
        if pause is not None and asked.triggered_by is TriggeredBy.STARTUP:
            return Fate.PAUSED
        if asked.scheduled_at is not None:
            match timing_of(asked, task, now):
                case Timing.EARLY:
                    self._later.hold_back(task.name, run_id)
                    return Fate.EARLY
                case Timing.LATE:
                    return Fate.LATE
        if pause is not None:
            self._slots.keep(task.name, run_id)
            return Fate.KEPT
        return self._slots.take(task, run_id)

    def _written(self, run: Run, written: asyncio.Future[Any]) -> None:
        error = written.exception()
        if error is None:
            self._is_created(run)
        else:
            self._is_refused(run, error)

    def _is_refused(self, run: Run, error: BaseException) -> None:
        if isinstance(error, StoreUnavailable):
            self._watch.failed(error)
        self._turns.free(run)

    def _is_created(self, run: Run) -> None:
        """The commit is done: tell, and go on."""
        if run.status is Status.ENDED:
            self._bus.emit(EventKind.RUN_CREATED, run.created_at, run)
            self._bus.emit(EventKind.RUN_ENDED, run.created_at, run)
        else:
            self._turns.enter(run)
