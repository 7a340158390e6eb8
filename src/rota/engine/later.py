"""Later: pending runs whose time is still to come, and when to look at each again: due, or too late."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import structlog

from rota.engine.clock import GLANCE
from rota.model.error import Fault
from rota.timing.duration import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from rota.engine.clock import Clock
    from rota.model.run import RunId

log = structlog.get_logger()

JUST_NOW = timedelta(minutes=1)
"""How long a time may have passed and still mean "now": clocks differ, and requests travel."""


def faults_of_time(at: datetime | None, now: datetime) -> Iterator[Fault]:
    """What is wrong with the time for which a run is asked, if one is named.

    The bound ahead keeps every sum with it, in every zone, within what a `datetime` can hold.
    """
    if at is None:
        return
    message = None
    if at < now - JUST_NOW:
        message = "this time has passed; leave it out to start at once"
    elif at > now + LONGEST:
        message = "this time is more than a hundred years ahead"
    if message is not None:
        yield Fault(location="body.at", message=message, value=at.isoformat())


class Later:
    """Those that are held back, and a loop that names a run at each moment that it was given for it.

    What is held back is written down, holds no slot and counts in no queue.
    """

    def __init__(self, clock: Clock, *, look: Callable[[RunId], None]) -> None:
        self._clock = clock
        self._look = look
        self._held: dict[RunId, str] = {}  # and under which name its rules stand
        self._of_name: dict[str, dict[RunId, None]] = {}
        self._moments: list[tuple[datetime, RunId]] = []
        self._sooner = asyncio.Event()  # something stands before what was first

    def __contains__(self, run_id: RunId) -> bool:
        return run_id in self._held

    def hold_back(self, name: str, run_id: RunId) -> None:
        """This run is not due yet."""
        self._held[run_id] = name
        self._of_name.setdefault(name, {})[run_id] = None

    def let_go(self, run_id: RunId) -> bool:
        """It is due, or over; False: it was not held back."""
        name = self._held.pop(run_id, None)
        if name is None:
            return False
        of_name = self._of_name[name]
        del of_name[run_id]
        if not of_name:
            del self._of_name[name]
        return True

    def held(self, name: str | None = None) -> Iterator[RunId]:
        """Those that are held back, of one name or of all."""
        yield from self._held if name is None else self._of_name.get(name, ())

    def look_at(self, run_id: RunId, moment: datetime) -> None:
        """Name this run at that moment. It need not be taken out if it ends before."""
        heappush(self._moments, (moment, run_id))
        if self._moments[0] == (moment, run_id):
            self._sooner.set()

    async def run(self) -> None:
        """Go on until cancelled. A fault with one run is logged, and does not keep the others."""
        while True:
            now = self._clock.now()
            self._sooner.clear()
            while self._moments and self._moments[0][0] <= now:
                _, run_id = heappop(self._moments)
                try:
                    self._look(run_id)
                except Exception:
                    log.exception("a run could not be looked at in its time", run_id=run_id)
            await self._pause(now)

    async def _pause(self, now: datetime) -> None:
        """Until the next moment, or something sooner was added."""
        pauses: list[asyncio.Task[Any]] = [asyncio.create_task(self._sooner.wait())]
        if self._moments:
            seconds = (self._moments[0][0] - now).total_seconds()
            pauses.append(asyncio.create_task(self._clock.sleep(min(GLANCE, seconds))))
        try:
            await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()
            await asyncio.gather(*pauses, return_exceptions=True)
