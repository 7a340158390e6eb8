"""The clock and the ids that the engine is handed, so that its tests hold both in their hands."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from uuid_utils import uuid4, uuid7

from rota.model.run import RunId

GLANCE = 1.0
"""Seconds after which the wall clock is looked at, whatever comes next: it may have jumped."""

_SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""macOS counts the time of sleep in its monotonic clock, and has no other."""


class Clock:
    """Real time."""

    def now(self) -> datetime:
        """The wall clock, in UTC. It may jump."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def passed(self) -> float:
        """Seconds that only ever grow, and also while the machine is suspended."""
        return time.clock_gettime(_SINCE_BOOT)

    async def sleep(self, seconds: float) -> None:
        """Return after so long, or as soon as others had their turn when that is over already."""
        await asyncio.sleep(max(0.0, seconds))


class Ids:
    """Names that no one had before."""

    def run(self) -> RunId:
        """A run's id: a UUIDv7, greater than every one given out before by this process."""
        return RunId(str(uuid7()))

    def attempt(self) -> str:
        """The token of one hand-over."""
        return uuid4().hex[:16]
