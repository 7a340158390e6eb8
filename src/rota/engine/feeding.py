"""Feeding: what is sent to the runs that live: input, the size of their terminal, a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RunEnded, RunNotFound, RunNotStarted
from rota.model.run import Status

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import TypeVar

    from rota.engine.dispatcher import Dispatcher
    from rota.engine.ledger import Ledger
    from rota.model.input import Input, InputState
    from rota.model.run import RunId
    from rota.storage.store import Store

    T = TypeVar("T")


class Feeding:
    """The way to a run's standard input, which the keeper holds.

    Everything here raises RunNotFound, RunEnded, RunNotStarted and KeeperUnavailable.
    """

    def __init__(self, *, ledger: Ledger, store: Store, dispatcher: Dispatcher) -> None:
        self._ledger = ledger
        self._store = store
        self._dispatcher = dispatcher

    async def send(self, run_id: RunId, given: Input, *, by: str) -> int:
        """Send it whole or not at all; how many bytes the run has not read then.

        Raises InputClosed, InputFull, and NoTerminal for a key that only a terminal has.
        """
        await self._check(run_id)
        return await self._of_a_run(run_id, self._dispatcher.link.send_input(run_id, given, by))

    async def resize(self, run_id: RunId, rows: int, cols: int) -> None:
        """Set the size of its terminal. Raises NoTerminal, or InputClosed when all have left it."""
        await self._check(run_id)
        await self._of_a_run(run_id, self._dispatcher.link.resize(run_id, rows, cols))

    async def signal(self, run_id: RunId, name: str, *, by: str) -> None:
        """Send its main process a signal."""
        await self._check(run_id)
        await self._of_a_run(run_id, self._dispatcher.link.signal(run_id, name, by))

    async def look(self, run_id: RunId) -> InputState:
        """How its input stands, and whether it waits for some."""
        await self._check(run_id)
        return await self._of_a_run(run_id, self._dispatcher.link.look(run_id))

    async def _check(self, run_id: RunId) -> None:
        entry = self._ledger.find(run_id)
        if entry is None and await self._store.run(run_id) is None:
            raise RunNotFound(run_id)
        if entry is None or entry.known.status is Status.ENDED:
            raise RunEnded(run_id)
        if entry.known.hand_over is None:
            raise RunNotStarted(run_id)

    async def _of_a_run(self, run_id: RunId, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except RunEnded:
            entry = self._ledger.find(run_id)
            if entry is not None and entry.known.status is Status.PENDING:  # the keeper had no room for it
                raise RunNotStarted(run_id) from None
            raise
