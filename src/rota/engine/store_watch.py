"""The watch over the store: notices that it cannot write, tells, and tries until it can again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from rota.model.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.engine.clock import Clock
    from rota.events.bus import Bus
    from rota.storage.store import Store

log = structlog.get_logger()

PAUSE = 1.0  #: seconds between two tries


class StoreWatch:
    """Whether the store can write, as far as anybody knows."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._failed = asyncio.Event()
        self._healed: list[Callable[[], None]] = []
        self.problem: str | None = None  #: why it cannot; None while it can

    @property
    def failing(self) -> bool:
        return self.problem is not None

    def on_heal(self, catch_up: Callable[[], None]) -> None:
        """Call this each time the store can write again."""
        self._healed.append(catch_up)

    def failed(self, error: Exception) -> None:
        """A write has failed; one that fails after it is no news."""
        if self.problem is None:
            self.problem = str(error)
            log.error("the store cannot write", error=str(error))
            self._bus.emit(EventKind.STORE_FAILED, self._clock.now(), message=str(error))
            self._failed.set()

    async def run(self) -> None:
        """Try to write once a second while it fails."""
        while True:
            await self._failed.wait()
            await self._clock.sleep(PAUSE)
            try:
                healed = await self._store.heal()
            except Exception:  # a fault in one try must not end the trying
                log.exception("healing the store failed")
                continue
            if healed:
                self._failed.clear()
                self.problem = None
                log.info("the store can write again")
                self._bus.emit(EventKind.STORE_HEALED, self._clock.now())
                for catch_up in self._healed:
                    catch_up()
