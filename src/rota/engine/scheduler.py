"""The scheduler: sleeps until the next tick, claims what is due, and keeps the horizon."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from rota.engine.clock import GLANCE
from rota.engine.missed import Unrecorded
from rota.model.error import StoreUnavailable
from rota.timing.planner import Due

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.intake import Intake
    from rota.engine.store_watch import StoreWatch
    from rota.storage.store import Store
    from rota.timing.planner import Planner

log = structlog.get_logger()


class Scheduler:
    """A loop over the planner; what is due is decided there.

    The horizon is saved after the ticks up to it, in their order. Without ticks there is nothing to save: an
    older horizon means the same, as long as nothing was due since. So an idle server writes nothing.
    """

    def __init__(
        self,
        *,
        planner: Planner,
        intake: Intake,
        store: Store,
        clock: Clock,
        watch: StoreWatch,
        background: Background,
    ) -> None:
        self._planner = planner
        self._intake = intake
        self._store = store
        self._clock = clock
        self._watch = watch
        self._background = background
        self._unrecorded = Unrecorded()
        self._closed = False
        self._turning = asyncio.Lock()
        self._changed = asyncio.Event()
        self._looked_at = clock.passed()
        self._unsaved = False  # ticks were decided beyond the horizon on file

    async def run(self) -> None:
        """Go on until closed. A fault in one turn is logged, and does not end all schedules."""
        while not self._closed:
            self._changed.clear()
            try:
                async with self._turning:
                    pause = await self.turn()
            except Exception:
                log.exception("a turn of the scheduler failed")
                pause = GLANCE
            await self._pause(pause)

    def close(self) -> None:
        """Claim nothing more: what becomes due is the next server's."""
        self._closed = True

    @asynccontextmanager
    async def between_turns(self) -> AsyncIterator[None]:
        """While this is held no tick is being claimed, so the schedules can change; then it looks anew."""
        async with self._turning:
            yield
        self._changed.set()

    def forget_others(self, task_names: Collection[str]) -> None:
        """What could not be recorded is owed by these tasks alone: the others are gone."""
        self._unrecorded.keep(task_names)

    async def turn(self) -> float:
        """Do what is due; the seconds until there may be more."""
        looked_at, self._looked_at = self._looked_at, self._clock.passed()
        passed = timedelta(seconds=self._looked_at - looked_at)
        due = self._planner.due(self._clock.now(), passed=passed)
        if due.ticks or due.gaps or (self._unrecorded and not self._watch.failing):
            await self._claim(due)
        next_at = self._planner.next_at()  # computed only now, when what was due has been started
        if self._unsaved:
            await self.save_horizon()
        if next_at is None:
            return GLANCE
        return min(GLANCE, (next_at - self._clock.now()).total_seconds())

    async def save_horizon(self) -> None:
        """Write down up to when every tick has been decided, unless some of them could not be recorded."""
        horizon: datetime = self._planner.horizon
        if self._unrecorded or self._watch.failing:
            return
        try:
            await self._store.save_horizon(horizon)
        except StoreUnavailable as error:
            self._watch.failed(error)
        else:
            self._unsaved = False

    async def _pause(self, seconds: float) -> None:
        """For so long, or until the schedules have changed."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        changing = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, changing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            changing.cancel()
            await asyncio.gather(sleeping, changing, return_exceptions=True)

    async def _claim(self, due: Due) -> None:
        self._unsaved = True
        if self._watch.failing:
            self._unrecorded.add(due.ticks, due.gaps)
            return
        owed = self._unrecorded.take()
        try:
            # To its end also when the server stops meanwhile: what is claimed is to be started.
            await self._background.finish(self._intake.ticks(due.ticks, [*owed, *due.gaps]))
        except Exception as error:
            self._unrecorded.add(due.ticks, [*owed, *due.gaps])  # whatever the fault, no tick goes unrecorded
            if not isinstance(error, StoreUnavailable):
                raise
