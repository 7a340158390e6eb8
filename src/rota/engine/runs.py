"""Runs, one by one: found, waited for, stopped; and those of a task that have not ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.error import RunEnded, RunNotFound, StoreUnavailable
from rota.model.run import Cause, Ending, Status

if TYPE_CHECKING:
    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.handing import Handing
    from rota.engine.ledger import Ledger
    from rota.engine.slots import Slots
    from rota.engine.turns import Turns
    from rota.engine.waiters import Waiters
    from rota.model.run import Run, RunId
    from rota.storage.store import Store


class Runs:
    """Every run that there is: the open ones as the ledger has them, the others from the store."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        waiters: Waiters,
        slots: Slots,
        handing: Handing,
        turns: Turns,
        clock: Clock,
        background: Background,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._waiters = waiters
        self._slots = slots
        self._handing = handing
        self._turns = turns
        self._clock = clock
        self._background = background

    def shown(self, run: Run) -> Run:
        """The run with what it waits for, if it does."""
        if run.status is not Status.PENDING or run.hand_over is not None:
            return run
        waiting_for = self._turns.waiting_for(run)
        return run if waiting_for is None else replace(run, waiting_for=waiting_for)

    def running(self, task_name: str) -> list[Run]:
        """The task's runs whose process lives, oldest first."""
        return [run for run in self._open(task_name) if run.status is Status.RUNNING]

    def pending(self, task_name: str) -> list[Run]:
        """The task's runs that have not started, in the order in which they will."""
        return [run for run in self._open(task_name) if run.status is Status.PENDING]

    def count(self, status: Status) -> int:
        """How many runs stand so, of those that have not ended."""
        return sum(entry.stored.status is status for entry in self._ledger)

    async def wait(self, run_id: RunId, timeout: float) -> Run:  # noqa: ASYNC109  # the run's waiter has it, not this call
        """The run's last attempt, once ended; as it stands after so many seconds or when the server stops.

        Raises RunNotFound.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        run = None
        next_id: RunId | None = run_id
        while next_id is not None:
            attempt = None
            if self._ledger.find(next_id) is not None:
                attempt = await self._waiters.wait(next_id, max(0.0, deadline - loop.time()))
            attempt = attempt or await self._find(next_id)
            if attempt is None:
                break  # it was deleted: the one before is the last that there is
            run, next_id = attempt, attempt.next_attempt_run_id
        if run is None:
            raise RunNotFound(run_id)
        return self.shown(run)

    async def last_attempt(self, run: Run) -> Run:
        """The newest attempt of what this is one of, as it stands."""
        while run.next_attempt_run_id is not None:
            attempt = await self._find(run.next_attempt_run_id)
            if attempt is None:
                break
            run = attempt
        return self.shown(run)

    async def stop(self, run_id: RunId, by: str) -> Run:
        """Stop a run, or cancel it while it waits: the run as it stands then.

        It is carried out even if the caller goes away. Raises RunNotFound, RunEnded, and StoreUnavailable
        when a cancellation cannot be written.
        """
        return await self._background.finish(self._stop(run_id, by))

    async def cancel_pending(self, by: str) -> None:
        """Cancel all that wait, and that no keeper has."""
        for entry in self._ledger:
            if entry.known.status is Status.PENDING and entry.known.hand_over is None:
                with suppress(RunEnded, StoreUnavailable):  # a store that cannot write leaves it pending
                    await self.stop(entry.known.id, by)

    async def _stop(self, run_id: RunId, by: str) -> Run:
        entry = self._ledger.find(run_id)
        if entry is None:
            ended = await self._store.run(run_id)
            if ended is None:
                raise RunNotFound(run_id)
            last = await self.last_attempt(ended)
            raise RunEnded(run_id, retry=None if last.status is Status.ENDED else last.id)
        if entry.known.status is Status.ENDED:  # it is over, and about to be written
            return entry.stored
        if entry.known.hand_over is None and not entry.writing:
            ending = Ending(cause=Cause.STOPPED, end_at=self._clock.now(), message=f"cancelled by {by}")
            if (cancelled := await self._ledger.cancel(entry, ending)) is not None:
                return cancelled
            raise RunEnded(run_id)
        self._slots.leave(entry.known.defined_by, run_id)
        self._handing.ask_to_stop(entry, by)
        return entry.stored

    async def _find(self, run_id: RunId) -> Run | None:
        entry = self._ledger.find(run_id)
        return entry.stored if entry is not None else await self._store.run(run_id)

    def _open(self, task_name: str) -> list[Run]:
        slots = self._slots
        run_ids = (*slots.holders(task_name), *slots.waiting(task_name), *slots.kept(task_name))
        return [entry.stored for run_id in run_ids if (entry := self._ledger.find(run_id)) is not None]
