"""The engine: what starts, when, and what became of it. Every surface and every schedule uses it."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from rota.engine.aftermath import Aftermath
from rota.engine.background import Background
from rota.engine.clock import Clock, Ids
from rota.engine.definitions import Definitions
from rota.engine.deletion import Deletion
from rota.engine.dispatcher import Dispatcher
from rota.engine.farewell import take_word, word_was_left
from rota.engine.feeding import Feeding
from rota.engine.handing import Handing
from rota.engine.health import Health
from rota.engine.intake import Intake
from rota.engine.later import Later
from rota.engine.ledger import Ledger
from rota.engine.pauses import Pauses
from rota.engine.pausing import Pausing
from rota.engine.recovery import Recovery
from rota.engine.reloading import Reloading
from rota.engine.runs import Runs
from rota.engine.sealing import digests
from rota.engine.services.health import Health as ServiceHealth
from rota.engine.services.supervisor import Supervisor
from rota.engine.slots import Slots
from rota.engine.spawning import inherited
from rota.engine.startup import Startup
from rota.engine.store_watch import StoreWatch
from rota.engine.sweeper import Sweeper
from rota.engine.ticks import Ticks
from rota.engine.triggering import Triggering
from rota.engine.turns import Turns
from rota.engine.waiters import Waiters
from rota.keeper.finding import find_keeper
from rota.model.definition import judging
from rota.model.error import JobRefused, ShuttingDown, StoreUnavailable
from rota.model.run import Status
from rota.storage.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from rota.config.config import Config
    from rota.events.bus import Bus
    from rota.keeper.link import KeeperLink
    from rota.model.run import Run
    from rota.model.task import Task
    from rota.storage.store import Store

PATIENCE = 1.0
"""Seconds that a stop gives to the writes in flight."""

SHUTDOWN = "rota shutdown"
"""Who stops what waits then."""


class Engine:
    """One per server. It is used from one event loop, and decides between two awaits.

    It builds the parts, and starts and stops them in order; what surfaces ask for, they ask of a part:
    `triggering`, `runs`, `ticks`, `services`, `pausing`, `reloading`, `feeding`, `deletion`.
    """

    def __init__(
        self,
        *,
        config: Config,
        store: Store,
        bus: Bus,
        data: Path,
        clock: Clock | None = None,
        ids: Ids | None = None,
        environ: Mapping[str, str] | None = None,
        open_link: Callable[[], Awaitable[KeeperLink]] | None = None,
    ) -> None:
        self._store = store
        self._data = data
        self._clock = clock or Clock()
        self._started = False
        self._stopping = False
        ids = ids or Ids()

        self._background = Background()
        self._waiters = Waiters()
        vault = Vault(data)
        self._definitions = Definitions(
            vault=vault, base=inherited(os.environ if environ is None else environ)
        )
        self._slots = Slots(self._definitions.rules)
        self._pauses = Pauses(self.tasks)
        self._later = Later(self._clock, look=lambda run_id: self._turns.look(run_id))
        self._watch = StoreWatch(store=store, bus=bus, clock=self._clock)
        self._ledger = Ledger(
            store=store,
            bus=bus,
            clock=self._clock,
            background=self._background,
            watch=self._watch,
            aftermath=Aftermath(
                definitions=self._definitions,
                slots=self._slots,
                clock=self._clock,
                ids=ids,
                store_id=store.store_id,
                stopped_by=lambda run_id: self._handing.stopped_by(run_id),
            ),
            on_stored=self._is_stored,
        )
        self._dispatcher = Dispatcher(
            open_link=open_link or (lambda: find_keeper(data)), bus=bus, clock=self._clock, ids=ids
        )
        self._handing = Handing(
            definitions=self._definitions,
            ledger=self._ledger,
            dispatcher=self._dispatcher,
            clock=self._clock,
            background=self._background,
            watch=self._watch,
        )
        self._turns = Turns(
            rules=self._definitions.rules,
            defines=self._definitions.defines,
            bus=bus,
            clock=self._clock,
            ledger=self._ledger,
            slots=self._slots,
            handing=self._handing,
            later=self._later,
            pauses=self._pauses,
        )
        self._intake = Intake(
            rules=self._definitions.rules,
            store=store,
            bus=bus,
            clock=self._clock,
            ids=ids,
            watch=self._watch,
            background=self._background,
            slots=self._slots,
            handing=self._handing,
            later=self._later,
            pauses=self._pauses,
            turns=self._turns,
        )
        self.runs = Runs(
            store=store,
            ledger=self._ledger,
            waiters=self._waiters,
            slots=self._slots,
            handing=self._handing,
            turns=self._turns,
            clock=self._clock,
            background=self._background,
        )
        self.ticks = Ticks(
            tasks=self.tasks,
            intake=self._intake,
            turns=self._turns,
            pauses=self._pauses,
            runs=self.runs,
            slots=self._slots,
            store=store,
            clock=self._clock,
            watch=self._watch,
            background=self._background,
        )
        self.pausing = Pausing(
            tasks=self.tasks,
            pauses=self._pauses,
            turns=self._turns,
            store=store,
            bus=bus,
            clock=self._clock,
            watch=self._watch,
            background=self._background,
        )
        self.services = Supervisor(
            config.services,
            store=store,
            bus=bus,
            clock=self._clock,
            watch=self._watch,
            background=self._background,
            intake=self._intake,
            health=ServiceHealth(
                definitions=self._definitions, ledger=self._ledger, dispatcher=self._dispatcher
            ),
            stop_run=self.runs.stop,
            digests=partial(digests, vault),
        )
        self.triggering = Triggering(
            definitions=self._definitions,
            services=lambda: self.services.services,
            jobs_user=lambda: self.config.jobs.user,
            vault=vault,
            intake=self._intake,
            runs=self.runs,
            clock=self._clock,
            may_write=self.may_write,
        )
        self._startup = Startup(
            tasks=self.tasks,
            store=store,
            intake=self._intake,
            ledger=self._ledger,
            waiters=self._waiters,
            watch=self._watch,
            background=self._background,
        )
        self._recovery = Recovery(
            definitions=self._definitions,
            ledger=self._ledger,
            handing=self._handing,
            dispatcher=self._dispatcher,
            startup=self._startup,
            services=self.services,
            clock=self._clock,
            data=data,
        )

        self.feeding = Feeding(ledger=self._ledger, store=store, dispatcher=self._dispatcher)
        self.deletion = Deletion(
            store=store,
            bus=bus,
            clock=self._clock,
            background=self._background,
            keep=lambda: self.config.storage.keep_deleted,
            settle=self.ticks.settled,
        )
        self._sweeper = Sweeper(
            rules=self._definitions.rules,
            store=store,
            bus=bus,
            clock=self._clock,
            data=data,
            running=lambda: [entry.known.id for entry in self._ledger if entry.known.hand_over is not None],
            retried=lambda: {entry.stored.first_run_id for entry in self._ledger},
        )
        self.reloading = Reloading(
            config,
            store=store,
            definitions=self._definitions,
            ledger=self._ledger,
            slots=self._slots,
            turns=self._turns,
            ticks=self.ticks,
            services=self.services,
            sweeper=self._sweeper,
            dispatcher=self._dispatcher,
            clock=self._clock,
            background=self._background,
            may_write=self.may_write,
        )

    async def start(self) -> None:
        """Take up what an earlier server left, meet the keeper, and begin the schedules.

        Raises Unusable when no keeper can be had, StoreUnavailable when the store cannot be written.
        """
        if self._started:
            return
        self._started = True
        await self.reloading.begin()
        await self.pausing.take_up()
        open_runs = await self._store.open_runs()
        former = {
            (run.defined_by, run.revision or 0) for run in open_runs if self._definitions.is_former(run)
        }
        for revision in await self._store.some_revisions(former):
            self._definitions.judge_by(judging(revision), revision.number)
        self._turns.take_up(open_runs)
        self.services.take_up(await self._store.services(), open_runs)
        if any(run.job is not None for run in open_runs):
            with suppress(JobRefused):  # those that are to be spawned say why they cannot be
                await self.triggering.login()
        if was_shut_down := word_was_left(self._data):
            await self.runs.cancel_pending(SHUTDOWN)
        await self._dispatcher.connect(self._recovery)
        await self.services.begin(self._dispatcher.boot_id, anew=was_shut_down)
        take_word(self._data)
        self._turns.go_on()
        await self.ticks.begin()
        self._background.loop(self._watch.run(), "watch over the store")
        self._background.loop(self._dispatcher.run(), "link to the keeper")
        self._background.loop(self._handing.run(), "second tries")
        self._background.loop(self._sweeper.run(), "sweeper")
        self._background.loop(self._later.run(), "runs for later")
        self._background.loop(self.services.run(), "supervisor of services")

    async def stop(self) -> None:
        """Leave. Runs go on with the keeper; who waits for one gets it as it stands."""
        self._stopping = True
        self._handing.close()
        self._waiters.close()
        self._ledger.write_starts()
        await self._background.stop(PATIENCE)
        await self.ticks.stop()
        await self._dispatcher.close()

    async def shutdown(self) -> None:
        """End every run, those that wait first, then the keeper; record their ends, and stop."""
        self._stopping = True
        self._handing.close()
        if self.ticks.count:
            self.ticks.close()
            await self.runs.cancel_pending(SHUTDOWN)
            await self.services.shutdown()
            await self._dispatcher.shutdown()
            await self.runs.cancel_pending(
                SHUTDOWN
            )  # those that were on their way to the keeper, and came back
        await self.stop()

    @property
    def config(self) -> Config:
        """What it goes by. A reload replaces it."""
        return self.reloading.config

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks that there are."""
        return self._definitions.tasks

    def now(self) -> datetime:
        """The clock by which everything here goes."""
        return self._clock.now()

    @property
    def stopping(self) -> bool:
        """Whether it is on its way out: who waits for a run is sent away."""
        return self._stopping

    @property
    def healthy(self) -> Health:
        """Whether runs can be started and recorded, and if not, why."""
        problems = [problem for problem in (self._watch.problem, self._dispatcher.problem) if problem]
        return Health(ok=not problems, problems=problems)

    def may_write(self) -> None:
        """Raises ShuttingDown and StoreUnavailable while nothing new can be written down."""
        if self._stopping:
            raise ShuttingDown
        if self._watch.problem is not None:
            raise StoreUnavailable(self._watch.problem)

    def _is_stored(self, run: Run, log_size: int, follow: Sequence[Run]) -> None:
        """A run has moved, and the move is committed and told; `follow` was written down with it."""
        if run.status is Status.ENDED:
            self._sweeper.ended(run, log_size)
            self._handing.ended(run)
            if run.hand_over is not None:
                self._dispatcher.acknowledge(run.id)
            for each in follow:  # before the slot is free: a retry goes first
                self._turns.came(each)
            self._waiters.tell(run)
            self._turns.free(run)
            self.services.ended(run)
        elif run.status is Status.RUNNING:
            self.services.started(run)
        elif run.hand_over is None:
            self._turns.taken_back(run)  # first: a pause may hold it by now
            self._handing.taken_back(run)
