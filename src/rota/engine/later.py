"""Later: runs that are written down for a time to come, and are admitted when it has come."""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rota.engine.clock import Clock
    from rota.model.run import Run, RunId

log = structlog.get_logger()

GLANCE = 1.0
"""Seconds after which the wall clock is looked at, whenever the next time is: it may have jumped."""


class Later:
    """Pending runs by their times, and a loop that tells of each when its time has come."""

    def __init__(self, clock: Clock, *, due: Callable[[RunId], None]) -> None:
        self._clock = clock
        self._due = due
        self._times: dict[RunId, datetime] = {}
        self._heap: list[tuple[datetime, RunId]] = []
        self._added = asyncio.Event()

    def __contains__(self, run_id: RunId) -> bool:
        return run_id in self._times

    def is_to_come(self, at: datetime | None) -> bool:
        """Whether this is a time, and has not come yet."""
        return at is not None and at > self._clock.now()

    def add(self, run: Run) -> None:
        """Tell of this run at its `scheduled_at`."""
        if run.scheduled_at is None:
            raise ValueError(f"run {run.id} has no time")
        self._times[run.id] = run.scheduled_at
        heapq.heappush(self._heap, (run.scheduled_at, run.id))
        self._added.set()

    def forget(self, run_id: RunId) -> None:
        """It was cancelled."""
        self._times.pop(run_id, None)

    async def run(self) -> None:
        """Go on until cancelled. A fault with one run is logged, and does not keep the others."""
        while True:
            self._tell()
            await self._pause()

    def _tell(self) -> None:
        now = self._clock.now()
        while self._heap and (self._heap[0][0] <= now or self._heap[0][1] not in self._times):
            _, run_id = heapq.heappop(self._heap)
            if self._times.pop(run_id, None) is not None:
                try:
                    self._due(run_id)
                except Exception:
                    log.exception("a run whose time has come could not be admitted", run_id=run_id)

    async def _pause(self) -> None:
        """Until the next time, or something sooner was added."""
        self._added.clear()
        pauses: list[asyncio.Task[Any]] = [asyncio.create_task(self._added.wait())]
        if self._heap:
            seconds = (self._heap[0][0] - self._clock.now()).total_seconds()
            pauses.append(asyncio.create_task(self._clock.sleep(min(GLANCE, seconds))))
        try:
            await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()
            await asyncio.gather(*pauses, return_exceptions=True)
