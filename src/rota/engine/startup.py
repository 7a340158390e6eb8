"""Startup: the runs of tasks with `run_on_start`, once for each start of a keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import StoreUnavailable
from rota.model.run import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.engine.background import Background
    from rota.engine.intake import Intake
    from rota.engine.ledger import Ledger
    from rota.engine.store_watch import StoreWatch
    from rota.engine.waiters import Waiters
    from rota.model.task import Task
    from rota.storage.store import Store

PATIENCE = 10.0
"""Seconds that the ends of lost runs, which still hold their slots, may take to be written."""


class Startup:
    """Tells a keeper that has just started from one that a new server found running."""

    def __init__(
        self,
        *,
        tasks: Mapping[str, Task],
        store: Store,
        intake: Intake,
        ledger: Ledger,
        waiters: Waiters,
        watch: StoreWatch,
        background: Background,
    ) -> None:
        self._tasks = tasks
        self._store = store
        self._intake = intake
        self._ledger = ledger
        self._waiters = waiters
        self._watch = watch
        self._background = background
        self._met: str | None = None  # a keeper of which it is not settled yet
        watch.on_heal(self._go_on)

    def met(self, keeper_id: str) -> None:
        """Runs may be handed over to this keeper from now on."""
        self._met = keeper_id
        self._go_on()

    def _go_on(self) -> None:
        if self._met is not None:
            self._background.start(self._settle(self._met), "runs on start")

    async def _settle(self, keeper_id: str) -> None:
        if await self._store.keeper_begun() == keeper_id:
            self._met = None
            return
        for entry in self._ledger:
            if entry.known.status is Status.ENDED:
                await self._waiters.wait(entry.known.id, PATIENCE)
        try:
            tasks = [task for task in self._tasks.values() if task.run_on_start and task.enabled]
            await self._intake.startup(tasks, keeper_id)
        except StoreUnavailable:
            return  # it is tried again when the store has healed
        self._met = None
