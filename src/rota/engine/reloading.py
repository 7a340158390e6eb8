"""Reloading: the configuration that the engine goes by, from its start on, and going over to another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rota.config.difference import settled
from rota.engine.login import login
from rota.engine.preparation import prepare
from rota.keeper.account import NoAccount
from rota.model.task import EnvBase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rota.config.config import Config
    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.definitions import Definitions
    from rota.engine.dispatcher import Dispatcher
    from rota.engine.ledger import Ledger
    from rota.engine.preparation import Prepared
    from rota.engine.services.supervisor import Supervisor
    from rota.engine.slots import Slots
    from rota.engine.sweeper import Sweeper
    from rota.engine.ticks import Ticks
    from rota.engine.turns import Turns
    from rota.model.run import Run
    from rota.storage.store import Store
    from rota.storage.tasks import TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Effects:
    """What a reload does to what runs and waits. What is not named goes on as it was."""

    stopped: Sequence[Run]  #: runs that waited, and whose task is gone
    stopped_services: Sequence[str]
    restarted: Sequence[str]  #: services whose processes see something else now, one life after another
    scaled: Sequence[str]  #: services with another number of instances


class Reloading:
    """Holds the configuration, and tells every part what follows from it."""

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        definitions: Definitions,
        ledger: Ledger,
        slots: Slots,
        turns: Turns,
        ticks: Ticks,
        services: Supervisor,
        sweeper: Sweeper,
        dispatcher: Dispatcher,
        clock: Clock,
        background: Background,
        may_write: Callable[[], None],
    ) -> None:
        """`may_write` raises ShuttingDown, or StoreUnavailable, when there is to be no reload."""
        self.config = config  #: what is gone by
        self._prepared: Prepared | None = None
        self._store = store
        self._definitions = definitions
        self._ledger = ledger
        self._slots = slots
        self._turns = turns
        self._ticks = ticks
        self._services = services
        self._sweeper = sweeper
        self._dispatcher = dispatcher
        self._clock = clock
        self._background = background
        self._may_write = may_write

    async def begin(self) -> None:
        """Go by the first one. Raises StoreUnavailable."""
        prepared = prepare(self.config)
        records = await self._register(prepared)
        await self._know_clean(self.config)
        self._take(prepared, records)

    def effects(self, config: Config) -> Effects:
        """What would become of what runs and waits, if this configuration were gone by now."""
        asked = self._services.orders.would_redefine(config.services)
        return Effects(
            stopped=self._turns.undefined(config.tasks),
            stopped_services=asked.removed,
            restarted=asked.restarted,
            scaled=asked.scaled,
        )

    async def reload(self, config: Config) -> Effects:
        """Go by another configuration from now on, and say what became of what ran and waited.

        What runs goes on under the definition that it was started under. One at a time. It is carried out
        even if the caller goes away. Raises ShuttingDown and StoreUnavailable, having changed nothing.
        """
        self._may_write()
        return await self._background.finish(self._go_by(settled(self.config, config)))

    async def _go_by(self, config: Config) -> Effects:
        prepared = await asyncio.to_thread(prepare, config, self._prepared)
        await self._know_clean(config)
        jobs_login = self._definitions.login
        if jobs_login is not None and config.jobs.user != self.config.jobs.user:
            try:
                jobs_login = await asyncio.to_thread(login, config.jobs.user)
            except NoAccount:  # the next job is told
                jobs_login = None
        records = await self._register(prepared)
        effects = self.effects(config)

        def go_over() -> None:
            # Nothing waits in here: no trigger, no tick and no end of a run sees half of it.
            nonlocal effects
            effects = self.effects(config)
            self._definitions.forget(entry.known for entry in self._ledger)
            self._definitions.login = jobs_login
            self._take(prepared, records)
            self._turns.go_by_new_rules()

        async with self._ticks.between_turns():
            await self._services.orders.redefine(config.services, go_over=go_over)
        return effects

    async def _register(self, prepared: Prepared) -> Mapping[str, TaskRecord]:
        return await self._store.register_tasks(
            prepared.fingerprints, prepared.definitions, self._clock.now()
        )

    def _take(self, prepared: Prepared, records: Mapping[str, TaskRecord]) -> None:
        """Go by a configuration that was prepared and registered."""
        config = prepared.config
        self.config, self._prepared = config, prepared
        self._definitions.take(
            config,
            revisions={name: record.revision for name, record in records.items()},
            folder=str(config.path.parent.absolute() if config.path is not None else Path.home()),
        )
        self._slots.go_by(
            self._definitions.tasks,
            groups={name: group.max_concurrent for name, group in config.groups.items()},
            server=config.server.max_concurrent,
        )
        self._dispatcher.leave_free(config.storage.min_free_space)
        self._sweeper.take(max_size=config.storage.max_size, keep_deleted=config.storage.keep_deleted)
        self._ticks.take(
            prepared.schedules, {name: records[name].schedule_since for name in prepared.schedules}
        )

    async def _know_clean(self, config: Config) -> None:
        """What `env_base = "clean"` is, before the first run of a task that says so."""
        rules = (*config.tasks.values(), *(service.life for service in config.services.values()))
        if not self._definitions.clean and any(each.env_base is EnvBase.CLEAN for each in rules):
            self._definitions.clean = (await asyncio.to_thread(login, None)).environment
