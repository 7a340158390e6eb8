"""The engine: what starts, when, and what became of it. Every surface and every schedule uses it."""

from __future__ import annotations

import asyncio
import os
from bisect import insort
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from rota.config.difference import settled
from rota.engine.aftermath import Aftermath
from rota.engine.background import Background
from rota.engine.clock import Clock, Ids
from rota.engine.definitions import Definitions
from rota.engine.deletion import Deletion
from rota.engine.dispatcher import Dispatcher
from rota.engine.effective_params import effective_params
from rota.engine.farewell import take_word, word_was_left
from rota.engine.feeding import Feeding
from rota.engine.handing import Handing
from rota.engine.health import Health
from rota.engine.intake import Asked, Intake
from rota.engine.later import Later, faults_of_time
from rota.engine.ledger import Ledger
from rota.engine.login import login
from rota.engine.pauses import Pauses
from rota.engine.pausing import Pausing
from rota.engine.preparation import prepare
from rota.engine.recovery import Recovery
from rota.engine.scheduler import Scheduler
from rota.engine.services.health import Health as ServiceHealth
from rota.engine.services.supervisor import Supervisor
from rota.engine.slots import Slots
from rota.engine.spawning import inherited
from rota.engine.startup import Startup
from rota.engine.store_watch import StoreWatch
from rota.engine.sweeper import Sweeper
from rota.engine.timetable import Coming, upcoming
from rota.engine.waiters import Waiters
from rota.engine.why import TickFate, fates, unrecorded_ticks
from rota.keeper.account import NoAccount
from rota.keeper.link import KeeperLink
from rota.model.definition import judging
from rota.model.error import (
    Invalid,
    JobRefused,
    ManualTriggerOff,
    RunEnded,
    RunNotFound,
    ShuttingDown,
    StoreUnavailable,
    TaskIsService,
    TaskNotFound,
)
from rota.model.job import JOBS
from rota.model.run import Cause, Ending, Status
from rota.model.task import EnvBase
from rota.storage.vault import Locked, Vault
from rota.timing.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.config.config import Config
    from rota.engine.effective_params import Effective
    from rota.engine.login import Login
    from rota.engine.preparation import Prepared
    from rota.events.bus import Bus
    from rota.model.job import Job
    from rota.model.run import Actor, Run, RunId, TriggeredBy
    from rota.model.task import Task
    from rota.storage.requests import Request
    from rota.storage.store import Store
    from rota.storage.tasks import TaskRecord
    from rota.timing.schedule import Schedule

_due_at = attrgetter("due_at")

OTHERS = 200
"""So many more of a task's runs are looked at for those that were in the way of its ticks."""

PATIENCE = 1.0
"""Seconds that a stop gives to the writes in flight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effects:
    """What a reload does to what runs and waits. What is not named goes on as it was."""

    stopped: Sequence[Run]  #: runs that waited, and whose task is gone
    stopped_services: Sequence[str]
    restarted: Sequence[str]  #: services whose processes see something else now, one life after another
    scaled: Sequence[str]  #: services with another number of instances


class Engine:
    """One per server. It is used from one event loop, and decides between two awaits."""

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
        self._config = config
        self._store = store
        self._data = data
        self._clock = clock or Clock()
        self._prepared: Prepared | None = None
        self._schedules: Mapping[str, tuple[Schedule, ...]] = {}
        self._since: Mapping[str, datetime] = {}  # when each task got its schedule
        self._planner: Planner | None = None
        self._scheduler: Scheduler | None = None
        self._started = False
        self._stopping = False
        ids = ids or Ids()

        self._background = Background()
        self._waiters = Waiters()
        self._vault = Vault(data)
        self._definitions = Definitions(
            vault=self._vault, base=inherited(os.environ if environ is None else environ)
        )
        self._slots = Slots(
            self._definitions.rules,
            self.tasks,
            groups=_limits(config),
            server=config.server.max_concurrent,
        )
        self._pauses = Pauses(self.tasks)
        self._later = Later(self._clock, look=lambda run_id: self._intake.look(run_id))
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
            open_link=open_link or (lambda: KeeperLink.open(data)), bus=bus, clock=self._clock, ids=ids
        )
        self._handing = Handing(
            definitions=self._definitions,
            ledger=self._ledger,
            dispatcher=self._dispatcher,
            clock=self._clock,
            background=self._background,
            watch=self._watch,
        )
        self._intake = Intake(
            rules=self._definitions.rules,
            defines=self._definitions.defines,
            store=store,
            bus=bus,
            clock=self._clock,
            ids=ids,
            watch=self._watch,
            background=self._background,
            ledger=self._ledger,
            slots=self._slots,
            handing=self._handing,
            later=self._later,
            pauses=self._pauses,
        )
        self.pausing = Pausing(
            tasks=self.tasks,
            pauses=self._pauses,
            intake=self._intake,
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
            stop_run=self._stop_run,
            digests=self.digests,
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
            keep=lambda: self._config.storage.keep_deleted,
            settle=self._settle_ticks,
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

    async def start(self) -> None:
        """Take up what an earlier server left, meet the keeper, and begin the schedules.

        Raises Unusable when no keeper can be had, StoreUnavailable when the store cannot be written.
        """
        if self._started:
            return
        self._started = True
        prepared = prepare(self._config)
        records = await self._register(prepared)
        await self.pausing.take_up()
        open_runs = await self._store.open_runs()
        self._take(prepared, records)
        former = {
            (run.defined_by, run.revision or 0) for run in open_runs if self._definitions.is_former(run)
        }
        for revision in await self._store.some_revisions(former):
            self._definitions.judge_by(judging(revision), revision.number)
        self._intake.take_up(open_runs)
        self.services.take_up(await self._store.services(), open_runs)
        await self._know_clean(self._config)
        if any(run.job is not None for run in open_runs):
            with suppress(JobRefused):  # those that are to be spawned say why they cannot be
                await self.login()
        if was_shut_down := word_was_left(self._data):
            await self._cancel_pending()
        await self._dispatcher.connect(self._recovery)
        await self.services.begin(self._dispatcher.boot_id, anew=was_shut_down)
        take_word(self._data)
        self._intake.go_on()
        self._planner = Planner(
            self._schedules,
            {**self._since, **await self._told_of_pauses()},
            horizon=await self._store.horizon(),
            now=self._clock.now(),
            catch_up=self._catch_up(),
        )
        self._scheduler = Scheduler(
            planner=self._planner,
            intake=self._intake,
            store=self._store,
            clock=self._clock,
            watch=self._watch,
            background=self._background,
        )
        self._background.loop(self._watch.run(), "watch over the store")
        self._background.loop(self._dispatcher.run(), "link to the keeper")
        self._background.loop(self._handing.run(), "second tries")
        self._background.loop(self._scheduler.run(), "scheduler")
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
        if self._scheduler is not None:
            scheduler, self._scheduler = self._scheduler, None
            await scheduler.save_horizon()
        await self._dispatcher.close()

    async def shutdown(self) -> None:
        """End every run, those that wait first, then the keeper; record their ends, and stop."""
        self._stopping = True
        self._handing.close()
        if self._scheduler is not None:
            self._scheduler.close()
            await self._cancel_pending()
            await self.services.shutdown()
            await self._dispatcher.shutdown()
            await self._cancel_pending()  # those that were on their way to the keeper, and came back
        await self.stop()

    @property
    def config(self) -> Config:
        """What it goes by. A reload replaces it."""
        return self._config

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks that there are."""
        return self._definitions.tasks

    def effects(self, config: Config) -> Effects:
        """What would become of what runs and waits, if it went by this configuration now."""
        asked = self.services.orders.would_redefine(config.services)
        return Effects(
            stopped=self._intake.undefined(config.tasks),
            stopped_services=asked.removed,
            restarted=asked.restarted,
            scaled=asked.scaled,
        )

    async def reload(self, config: Config) -> Effects:
        """Go by another configuration from now on, and say what became of what ran and waited.

        What runs goes on under the definition that it was started under. One at a time. It is carried out
        even if the caller goes away. Raises ShuttingDown and StoreUnavailable, having changed nothing.
        """
        self.may_write()
        return await self._background.finish(self._go_by(settled(self._config, config)))

    async def trigger(
        self,
        task_name: str,
        *,
        triggered_by: TriggeredBy,
        params: Mapping[str, object] | None = None,
        at: datetime | None = None,
        actor: Actor | None = None,
        rerun_of: RunId | None = None,
        request: Request | None = None,
    ) -> Run:
        """Make a run of the task, and start it, have it wait, or keep it for `at`: the run as written down.

        `params` are values for what it declares, as in a trigger's body. One that overlap turned away is
        returned ended. Raises TaskNotFound, TaskIsService, ManualTriggerOff, Invalid, StoreUnavailable and
        ShuttingDown, and KeyTaken when the request's key has its run already. It is carried out even if the
        caller goes away.
        """
        task = self.may_be_triggered(task_name)
        effective = self._effective(task, params or {}, at)
        self.may_write()
        sealed = None
        if effective.secrets:
            sealed = await self._seal({name: value.reveal() for name, value in effective.secrets.items()})
            task = self.may_be_triggered(task_name)  # there may have been a reload meanwhile
        asked = Asked(
            triggered_by=triggered_by,
            effective=effective,
            actor=actor,
            sealed=sealed,
            scheduled_at=at,
            rerun_of=rerun_of,
        )
        return self.shown(await self._intake.trigger(task, asked, request))

    async def start_job(
        self,
        job: Job,
        *,
        env: Mapping[str, str],
        triggered_by: TriggeredBy,
        at: datetime | None = None,
        actor: Actor | None = None,
        rerun_of: RunId | None = None,
        request: Request | None = None,
    ) -> Run:
        """Make a run of the job, and start it, have it wait, or keep it for `at`: the run as written down.

        Whether it may be started was asked before. Raises JobRefused when there is no such user as the jobs'
        is to be, StoreUnavailable and ShuttingDown, and KeyTaken when the request's key has its run already.
        It is carried out even if the caller goes away.
        """
        self.may_write()
        await self.login()
        sealed = await self._seal(env)
        asked = Asked(
            triggered_by=triggered_by, actor=actor, job=job, scheduled_at=at, sealed=sealed, rerun_of=rerun_of
        )
        return self.shown(await self._intake.trigger(self._definitions.rules[JOBS], asked, request))

    async def digests(self, values: Mapping[str, str]) -> dict[str, str]:
        """What tells equal secrets from others, and nothing else of them. Raises StoreUnavailable."""
        try:
            return await asyncio.to_thread(self._vault.digests, values) if values else {}
        except Locked as error:
            raise StoreUnavailable(f"secrets cannot be kept: {error}") from error

    async def login(self) -> Login:
        """Whose jobs are, and what they find. Raises JobRefused when the machine has no such user."""
        if self._definitions.login is None:
            try:
                self._definitions.login = await asyncio.to_thread(login, self._config.jobs.user)
            except NoAccount as error:
                raise JobRefused(f"[jobs] user: {error}") from error
        return self._definitions.login

    def now(self) -> datetime:
        """The clock by which everything here goes."""
        return self._clock.now()

    def shown(self, run: Run) -> Run:
        """The run with what it waits for, if it does."""
        if run.status is not Status.PENDING or run.hand_over is not None:
            return run
        waiting_for = self._intake.waiting_for(run)
        return run if waiting_for is None else replace(run, waiting_for=waiting_for)

    async def stop_run(self, run_id: RunId, *, by: str) -> Run:
        """Stop a run, or cancel it while it waits: the run as it stands then.

        Raises RunNotFound, RunEnded, and StoreUnavailable when a cancellation cannot be written.
        """
        return await self._background.finish(self._stop_run(run_id, by))

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

    def running(self, task_name: str) -> list[Run]:
        """The task's runs whose process lives, oldest first."""
        return [run for run in self._open_runs(task_name) if run.status is Status.RUNNING]

    def pending(self, task_name: str) -> list[Run]:
        """The task's runs that have not started, in the order in which they will."""
        return [run for run in self._open_runs(task_name) if run.status is Status.PENDING]

    def count(self, status: Status) -> int:
        """How many runs stand so, of those that have not ended."""
        return sum(entry.stored.status is status for entry in self._ledger)

    def next_ticks(self, task_name: str, count: int) -> list[Coming]:
        """What starts next by itself of the task; fewer when there is no more."""
        ticks = upcoming(self._schedules.get(task_name, ()), self._clock.now())
        return self._soonest(((task_name, at) for at in ticks), self._intake.early(task_name), count)

    def coming(self, count: int) -> list[Coming]:
        """What starts next by itself of all tasks; nothing of what is paused."""
        paused = {name for name in self._schedules if self._pauses.of(name)}
        ticks = self._planner.coming(but=paused) if self._planner is not None else iter(())
        early = [run for run in self._intake.early() if self._pauses.holding_run(run) is None]
        return self._soonest(((tick.task_name, tick.at) for tick in ticks), early, count)

    async def why(self, task_name: str, count: int) -> list[TickFate]:
        """What became of the task's last ticks, the oldest first."""
        ticks = [self.shown(run) for run in await self._store.last_ticks(task_name, count)]
        others = [*self.running(task_name), *await self._store.last_runs(task_name, count + OTHERS)]
        unrecorded = []
        if self._planner is not None and task_name in self._since:
            until = self._planner.horizon
            schedules, since = self._schedules[task_name], self._since[task_name]
            unrecorded = unrecorded_ticks(ticks, schedules, since=since, until=until)
        return fates(ticks, others, unrecorded)

    def may_be_triggered(self, task_name: str) -> Task:
        """The task, if anybody may start it. Raises TaskNotFound, TaskIsService and ManualTriggerOff."""
        task = self.tasks.get(task_name)
        if task_name in self.services.services:
            raise TaskIsService(task_name)
        if task is None:
            raise TaskNotFound(task_name, next(iter(get_close_matches(task_name, self.tasks, 1)), None))
        if not task.manual_trigger:
            raise ManualTriggerOff(task_name)
        return task

    @property
    def stopping(self) -> bool:
        """Whether it is on its way out: who waits for a run is sent away."""
        return self._stopping

    @property
    def healthy(self) -> Health:
        """Whether runs can be started and recorded, and if not, why."""
        problems = [problem for problem in (self._watch.problem, self._dispatcher.problem) if problem]
        return Health(ok=not problems, problems=problems)

    async def _told_of_pauses(self) -> dict[str, datetime]:
        """Up to when the ticks of each task that is, or was last, paused have been told of.

        A server that was killed may have told of a tick, and not saved that it had decided on it. Where there
        was no pause, the tick's own run is the claim to it; one that tells of several keeps no other away.
        """
        paused = [name for name in self._schedules if self._pauses.has_had(name)]
        if not paused:
            return {}
        now, told = self._clock.now(), await self._store.told_until()
        return {name: max(self._since[name], min(told[name], now)) for name in paused if name in told}

    async def _settle_ticks(self) -> datetime | None:
        if self._scheduler is not None:
            await self._scheduler.save_horizon()
        return await self._store.horizon()

    async def _go_by(self, config: Config) -> Effects:
        prepared = await asyncio.to_thread(prepare, config, self._prepared)
        await self._know_clean(config)
        jobs_login = self._definitions.login
        if jobs_login is not None and config.jobs.user != self._config.jobs.user:
            try:
                jobs_login = await asyncio.to_thread(login, config.jobs.user)
            except NoAccount:  # the next job is told
                jobs_login = None
        records = await self._register(prepared)
        scheduler, planner = self._scheduler, self._planner
        if scheduler is None or planner is None:
            raise ShuttingDown
        effects = self.effects(config)

        def go_over() -> None:
            # Nothing waits in here: no trigger, no tick and no end of a run sees half of it.
            nonlocal effects
            effects = self.effects(config)
            self._definitions.forget(entry.known for entry in self._ledger)
            self._definitions.login = jobs_login
            self._take(prepared, records)
            planner.change(self._schedules, self._since, catch_up=self._catch_up())
            scheduler.forget_others(self._schedules)
            self._slots.go_by(self.tasks, groups=_limits(config), server=config.server.max_concurrent)
            self._intake.go_by_new_rules()

        async with scheduler.between_turns():
            await self.services.orders.redefine(config.services, go_over=go_over)
        return effects

    async def _register(self, prepared: Prepared) -> Mapping[str, TaskRecord]:
        return await self._store.register_tasks(
            prepared.fingerprints, prepared.definitions, self._clock.now()
        )

    def _take(self, prepared: Prepared, records: Mapping[str, TaskRecord]) -> None:
        """Go by a configuration that was prepared and registered."""
        config = prepared.config
        self._config, self._prepared = config, prepared
        self._definitions.take(
            config,
            revisions={name: record.revision for name, record in records.items()},
            folder=str(config.path.parent.absolute() if config.path is not None else Path.home()),
        )
        self._sweeper.take(max_size=config.storage.max_size, keep_deleted=config.storage.keep_deleted)
        self._schedules = prepared.schedules
        self._since = {name: records[name].schedule_since for name in self._schedules}

    def _catch_up(self) -> dict[str, int]:
        return {name: self.tasks[name].catch_up for name in self._schedules}

    async def _know_clean(self, config: Config) -> None:
        """What `env_base = "clean"` is, before the first run of a task that says so."""
        rules = (*config.tasks.values(), *(service.life for service in config.services.values()))
        if not self._definitions.clean and any(each.env_base is EnvBase.CLEAN for each in rules):
            self._definitions.clean = (await asyncio.to_thread(login, None)).environment

    async def _find(self, run_id: RunId) -> Run | None:
        entry = self._ledger.find(run_id)
        return entry.stored if entry is not None else await self._store.run(run_id)

    def _effective(self, task: Task, params: Mapping[str, object], at: datetime | None) -> Effective:
        """What the run is given. Raises Invalid, which names every fault of what was asked for."""
        faults = list(faults_of_time(at, self._clock.now()))
        try:
            effective = effective_params(task, params)
        except Invalid as invalid:
            raise Invalid([*invalid.faults, *faults]) from None
        if faults:
            raise Invalid(faults)
        return effective

    async def _seal(self, secrets: Mapping[str, str]) -> str | None:
        try:
            return await asyncio.to_thread(self._vault.seal, secrets) if secrets else None
        except Locked as error:
            raise StoreUnavailable(f"secrets cannot be kept: {error}") from error

    def may_write(self) -> None:
        """Raises ShuttingDown and StoreUnavailable while nothing new can be written down."""
        if self._stopping:
            raise ShuttingDown
        if self._watch.problem is not None:
            raise StoreUnavailable(self._watch.problem)

    def _soonest(
        self, ticks: Iterable[tuple[str, datetime]], early: Iterable[Run], count: int
    ) -> list[Coming]:
        """As many of these as are wanted, as they are due; ticks come in their order, without jitter."""
        found = [
            Coming(task_name=run.task_name, scheduled_at=run.scheduled_at, due_at=run.due, run_id=run.id)
            for run in early
            if run.task_name is not None and run.scheduled_at is not None and run.due is not None
        ]
        found.sort(key=_due_at)
        for name, at in ticks:
            if len(found) >= count and at >= found[count - 1].due_at:
                break  # from here on all are due later
            due_at = self._intake.due_at(self.tasks[name], at) or at
            insort(found, Coming(task_name=name, scheduled_at=at, due_at=due_at), key=_due_at)
        return found[:count]

    async def _stop_run(self, run_id: RunId, by: str) -> Run:
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

    async def _cancel_pending(self) -> None:
        for entry in self._ledger:
            if entry.known.status is Status.PENDING and entry.known.hand_over is None:
                with suppress(RunEnded, StoreUnavailable):  # a store that cannot write leaves it pending
                    await self._background.finish(self._stop_run(entry.known.id, "rota shutdown"))

    def _open_runs(self, task_name: str) -> list[Run]:
        slots = self._slots
        run_ids = (*slots.holders(task_name), *slots.waiting(task_name), *slots.kept(task_name))
        return [entry.stored for run_id in run_ids if (entry := self._ledger.find(run_id)) is not None]

    def _is_stored(self, run: Run, log_size: int, follow: Sequence[Run]) -> None:
        """A run has moved, and the move is committed and told; `follow` was written down with it."""
        if run.status is Status.ENDED:
            self._sweeper.ended(run, log_size)
            self._handing.ended(run)
            if run.hand_over is not None:
                self._dispatcher.acknowledge(run.id)
            for each in follow:  # before the slot is free: a retry goes first
                self._intake.came(each)
            self._waiters.tell(run)
            self._intake.free(run)
            self.services.ended(run)
        elif run.status is Status.RUNNING:
            self.services.started(run)
        elif run.hand_over is None:
            self._intake.taken_back(run)  # first: a pause may hold it by now
            self._handing.taken_back(run)


def _limits(config: Config) -> dict[str, int]:
    """How many runs of each group may be running at once."""
    return {name: group.max_concurrent for name, group in config.groups.items()}
