"""Those who wait for the end of a run: one future each, no polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run, RunId


class Waiters:
    """Futures by run; ten thousand of them cost memory and nothing else."""

    def __init__(self) -> None:
        self._waiting: dict[RunId, set[asyncio.Future[Run | None]]] = {}
        self._closed = False

    def __len__(self) -> int:
        return sum(len(futures) for futures in self._waiting.values())

    async def wait(self, run_id: RunId, timeout: float) -> Run | None:  # noqa: ASYNC109  # it is the answer's, not ours
        """The ended run; None when it had not ended after so many seconds, or everybody was sent away."""
        if self._closed:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Run | None] = loop.create_future()
        futures = self._waiting.setdefault(run_id, set())
        futures.add(future)
        timer = loop.call_later(timeout, _resolve, future, None)
        try:
            return await future
        finally:
            timer.cancel()
            futures.discard(future)
            if not futures and self._waiting.get(run_id) is futures:
                del self._waiting[run_id]

    def tell(self, run: Run) -> None:
        """The run has ended."""
        for future in self._waiting.pop(run.id, ()):
            _resolve(future, run)

    def close(self) -> None:
        """Send everybody away: the server stops."""
        self._closed = True
        for futures in self._waiting.values():
            for future in futures:
                _resolve(future, None)


def _resolve(future: asyncio.Future[Run | None], run: Run | None) -> None:
    if not future.done():  # its waiter may have gone away in this same turn of the loop
        future.set_result(run)
