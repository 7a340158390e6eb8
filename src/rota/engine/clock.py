"""The clock and the ids that the engine is handed, so that its tests hold both in their hands."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from uuid_utils import uuid4, uuid7

from rota.model.run import RunId


class Clock:
    """Real time."""

    def now(self) -> datetime:
        """The wall clock, in UTC. It may jump."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

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
