"""The supervisor: does with every service what its plan says, in one loop, and hears of the lives."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from rota.engine.asked import Asked
from rota.engine.services.bulletin import Bulletin
from rota.engine.services.checking import Finding, after_check
from rota.engine.services.ending import after_end, asked_for
from rota.engine.services.instance import Instance, Leaving, Life, Verdict, verdict
from rota.engine.services.order import autostarted, dependents
from rota.engine.services.orders import Orders
from rota.engine.services.plan import Around, is_ready, plan
from rota.engine.services.standing import service_now
from rota.engine.services.taking_up import as_if_asked, take_up
from rota.model.error import RunEnded, RunNotFound, StoreUnavailable
from rota.model.run import Kind, TriggeredBy
from rota.model.service import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.intake import Intake
    from rota.engine.services.health import Health
    from rota.engine.services.standing import ServiceNow
    from rota.engine.services.supervised import Supervised
    from rota.engine.store_watch import StoreWatch
    from rota.events.bus import Bus
    from rota.keeper.messages import Notified
    from rota.model.run import Run, RunId
    from rota.model.service import Service
    from rota.storage.services import Kept
    from rota.storage.store import Store

log = structlog.get_logger()

AGAIN = 1.0
"""Seconds until what could not be written is tried again."""

NEVER = float("inf")


class Supervisor:
    """Keeps the services of one server. It decides between two awaits, by what `plan` says."""

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        store: Store,
        bus: Bus,
        clock: Clock,
        watch: StoreWatch,
        background: Background,
        intake: Intake,
        health: Health,
        stop_run: Callable[[RunId, str], Awaitable[object]],
        digests: Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self.services = services  #: as the file has them now
        self.all: dict[str, Supervised] = {}  #: also those that there are no more, while they live
        self.closing = False  #: all are to end, and none is to begin
        self._dependents = dependents(services)
        self._store = store
        self._clock = clock
        self._watch = watch
        self._background = background
        self._intake = intake
        self._health = health
        self._stop_run = stop_run
        self._bulletin = Bulletin(store=store, bus=bus, clock=clock, watch=watch, background=background)
        self.orders = Orders(self, store=store, clock=clock, digests=digests)
        self._kept_boot_id: str | None = None
        self._strays: list[RunId] = []  # lives of services that there are no more
        self._woken = asyncio.Event()
        self._has_begun = False
        self._gone = asyncio.Event()  # nothing lives any more
        watch.on_heal(self._wake_all)

    def take_up(self, kept: Kept, open_runs: Iterable[Run]) -> None:
        """What an earlier server has left. Ends of these lives may be heard from now on."""
        self._kept_boot_id = kept.boot_id
        now = self._clock.monotonic()
        found = take_up(self.services, kept, open_runs, now=now, ago=self._ago)
        self.all.update(found.services)
        self._strays = found.strays

    async def begin(self, boot_id: str, *, anew: bool) -> None:
        """Go on where the earlier server stood; `anew`, and after a boot, the file says what is wanted.

        Raises StoreUnavailable.
        """
        if anew or self._kept_boot_id != boot_id:
            await self._store.begin_services_anew(boot_id)
            started, now = autostarted(self.services), self._clock.monotonic()
            for it in self.all.values():
                it.wanted = Wanted(running=it.name in started)
                it.instances = [asked_for(instance, now) for instance in it.instances]
                it.fit()
        for it in self.all.values():
            await self._note_definition(it)
        await self._store.save_services({name: it.wanted for name, it in self.all.items()})
        if self._strays:
            self._background.start(self._stop_strays(), "stop lives of services that there are no more")
        self._has_begun = True
        self._wake_all()

    async def run(self) -> None:
        """Go on until cancelled. A fault with one service is logged, and does not keep the others."""
        while True:
            self._woken.clear()
            now = self._clock.monotonic()
            for it in list(self.all.values()):
                if it.look_at <= now:
                    try:
                        self._look(it)
                    except Exception:
                        log.exception("a service could not be looked after", service=it.name)
                        it.look_at = now + AGAIN
            await self._pause()

    async def shutdown(self) -> None:
        """End every life, dependents first; return when none is left, or patience is over."""
        self.closing = True
        with suppress(StoreUnavailable):
            await self._store.begin_services_anew("")  # so that the next server begins anew
        alive = [it for it in self.all.values() if it.lives]
        for it in alive:
            it.wanted = Wanted(running=False)
        self._wake_all()
        if alive:
            patience = sum(AGAIN + it.service.life.grace.total_seconds() for it in alive)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), AGAIN + patience)

    def now(self, name: str) -> ServiceNow:
        """How a service stands. KeyError when there is none."""
        it, now = self.all[name], self._clock.monotonic()
        waits_for = self._around(it, now).waits_for
        needs = None if waits_for is None else self.now(waits_for)
        return service_now(it, now=now, at=self._clock.now(), needs=needs)

    def look_at_once(self, names: Iterable[str]) -> None:
        """So that who has given an order sees what it sets going."""
        for name in names:
            self._wake(self.all[name])
            self._look(self.all[name])

    def go_by(self, services: Mapping[str, Service]) -> None:
        """The file has these now; all that is known of them is right already."""
        self.services = services
        self._dependents = dependents({name: it.service for name, it in self.all.items()})
        self._wake_all()

    def save_soon(self, name: str) -> None:
        """Write down what is wanted of a service; nobody waits for it."""
        self._background.start(self._save(self.all[name]), f"what is wanted of {name}")

    # --- what is heard

    def started(self, run: Run) -> None:
        """The process of a life lives, and that is stored."""
        if (found := self._find(run)) is not None:
            it, instance, life = found
            now = self._clock.monotonic()
            it.put(replace(instance, life=replace(life, began=now, watched=now, pid=run.pid)))
            self._wake(it)

    def ended(self, run: Run) -> None:
        """A life is over, and that is stored."""
        if (found := self._find(run)) is not None:
            it, instance, _ = found
            ended = after_end(it.service, as_if_asked(it, instance, run), run, self._clock.monotonic())
            it.put(ended, remember=True)
            self._wake(it)

    def notified(self, run: Run, said: Notified) -> None:
        """A life has said something of itself."""
        if (found := self._find(run)) is not None:
            it, instance, life = found
            now = self._clock.monotonic()
            departs_at = life.departs_at
            if said.departs and departs_at is None:
                departs_at = now
                instance = replace(instance, message="it has said that it is about to end")
            ready, pinged = life.passed or said.ready, now if said.pinged else None
            heard = replace(life, passed=ready, departs_at=departs_at, pinged=pinged)
            it.put(replace(instance, life=heard))
            self._wake(it)

    # --- a turn

    def _look(self, it: Supervised) -> None:
        """Take the next steps of a service, and tell how its instances stand now."""
        it.look_at = NEVER
        if not self._has_begun:
            return
        now = self._clock.monotonic()
        self._note_health(it, now)
        steps = plan(it.service, it.wanted, it.instances, self._around(it, now), now)
        if not self.closing and not self._watch.failing:
            for index in steps.start:
                self._begin(it, it.instances[index])
        for index, leaving in steps.stop:
            self._end(it, it.instances[index], leaving)
        for index in steps.check:
            self._check(it, it.instances[index])
        if steps.is_replaced:
            it.wanted = replace(it.wanted, stale=frozenset(), rolling=False)
            self.save_soon(it.name)
        if steps.wake is not None:
            it.look_at = min(it.look_at, steps.wake)
        if self._bulletin.tell(it, now):
            self._wake_around(it)
        self._bulletin.remember(it)
        it.fit()
        if it.removed and not it.lives:
            self.all.pop(it.name, None)
        if self.closing and not any(each.lives for each in self.all.values()):
            self._gone.set()

    def _around(self, it: Supervised, now: float) -> Around:
        needed = [self.all[name] for name in it.service.depends_on if name in self.all]
        needing = [self.all[name] for name in self._dependents.get(it.name, ()) if name in self.all]
        unready = (
            each.name for each in needed if not is_ready(each.service, each.wanted, each.instances, now)
        )
        leaving = (each.name for each in needing if each.lives and not each.wanted.running)
        return Around(
            waits_for=next(unready, None), held_by=None if it.wanted.running else next(leaving, None)
        )

    def _note_health(self, it: Supervised, now: float) -> None:
        for instance in list(it.instances):
            life = instance.life
            if life is None or life.was_healthy or life.departs_at is not None:
                continue
            if verdict(it.service, life, now) is Verdict.WELL:
                well = replace(instance, life=replace(life, was_healthy=True), failures=0, message=None)
                it.put(well, remember=True)

    async def _note_definition(self, it: Supervised) -> None:
        """Lives that began under another definition are replaced, one after another."""
        try:
            now = await self.orders.fingerprint(it.service)
        except StoreUnavailable as error:  # its secrets cannot be compared; it lives on as it is
            log.warning("a service cannot be compared with what it was", service=it.name, why=str(error))
            return
        before = it.wanted.fingerprint
        it.wanted = replace(it.wanted, fingerprint=now, declared=it.service.instances)
        if before and before != now:
            it.try_again(self._clock.monotonic())
            if it.lives:
                it.wanted = replace(it.wanted, stale=it.lives, rolling=True)

    def _begin(self, it: Supervised, instance: Instance) -> None:
        asked = Asked(triggered_by=TriggeredBy.SERVICE, instance_index=instance.index)
        try:
            run, written = self._intake.begin(it.service.life, asked)
        except StoreUnavailable:
            self._try_again(it, instance)
            return
        it.put(replace(instance, life=Life(run_id=run.id), last_run_id=run.id))
        self._background.attend(written, partial(self._is_written, it, instance.index, run.id))

    def _is_written(self, it: Supervised, index: int, run_id: RunId, written: asyncio.Future[Any]) -> None:
        """A life that could not be written down never was."""
        instance = it.instance(index)
        if written.exception() is not None and instance.run_id == run_id:
            self._try_again(it, replace(instance, life=None))

    def _try_again(self, it: Supervised, instance: Instance) -> None:
        it.put(replace(instance, ready_at=self._clock.monotonic() + AGAIN))
        self._wake(it)

    def _end(self, it: Supervised, instance: Instance, leaving: Leaving) -> None:
        if instance.life is None:
            return
        run_id, is_ill = instance.life.run_id, leaving is Leaving.UNHEALTHY
        by = self._why_unwanted(it) if leaving is Leaving.UNWANTED else leaving.value
        asked = replace(instance, life=replace(instance.life, leaving=leaving))
        it.put(replace(asked, ill=run_id) if is_ill else asked, remember=is_ill)
        if is_ill and instance.message is not None:
            by = f"{by}: {instance.message}"
        self._background.start(self._end_life(it, instance.index, run_id, by), f"stop {run_id}")

    def _why_unwanted(self, it: Supervised) -> str:
        if self.closing:
            return "rota shutdown"
        if it.removed:
            return "the removal of its service"
        return "the scaling of its service" if it.wanted.running else Leaving.UNWANTED.value

    async def _end_life(self, it: Supervised, index: int, run_id: RunId, by: str) -> None:
        if await self._stop(run_id, by):
            return
        instance = it.instance(index)
        if instance.life is not None and instance.life.run_id == run_id:  # it is asked again when that can be
            it.put(replace(instance, life=replace(instance.life, leaving=None)))
            it.look_at = min(it.look_at, self._clock.monotonic() + AGAIN)
            self._woken.set()

    def _check(self, it: Supervised, instance: Instance) -> None:
        if instance.life is not None:
            run_id = instance.life.run_id
            it.put(replace(instance, life=replace(instance.life, checking=True)))
            self._background.start(self._check_life(it, instance.index, run_id), f"check {run_id}")

    async def _check_life(self, it: Supervised, index: int, run_id: RunId) -> None:
        try:
            finding = await self._health.check(it.service, index, run_id)
        except Exception:
            log.exception("a health check could not be made", service=it.name, index=index)
            finding = Finding(passed=None)
        instance = it.instance(index)
        if instance.life is None or instance.life.run_id != run_id or it.service.health is None:
            return
        life = after_check(it.service.health, instance.life, finding, self._clock.monotonic())
        message = instance.message if finding.passed is None else finding.message
        it.put(replace(instance, life=life, message=message))
        self._wake(it)

    async def _stop_strays(self) -> None:
        for run_id in self._strays:
            while not await self._stop(run_id, "Rota, which has no such service any more"):
                await self._clock.sleep(AGAIN)

    async def _stop(self, run_id: RunId, by: str) -> bool:
        """Whether its end is on its way."""
        try:
            await self._stop_run(run_id, by)
        except (RunEnded, RunNotFound):
            return True
        except StoreUnavailable:
            return False
        return True

    async def _save(self, it: Supervised) -> None:
        with suppress(StoreUnavailable):  # what is left in the store names only lives that are over
            await self._store.save_services({it.name: it.wanted})

    # --- parts

    def _find(self, run: Run) -> tuple[Supervised, Instance, Life] | None:
        """Whose life it is; None for one of no service, or that an instance has no more."""
        it = self.all.get(run.task_name or "")
        if it is None or run.kind is not Kind.SERVICE or run.instance_index is None:
            return None
        instance = it.instance(run.instance_index)
        if instance.life is None or instance.life.run_id != run.id:
            return None
        return it, instance, instance.life

    def _ago(self, at: datetime) -> float:
        """A moment of the wall clock by the one that does not jump."""
        passed = (self._clock.now() - at).total_seconds()
        return self._clock.monotonic() - max(0.0, passed)

    def _wake(self, it: Supervised) -> None:
        it.look_at = 0.0
        self._woken.set()

    def _wake_around(self, it: Supervised) -> None:
        for name in (*it.service.depends_on, *self._dependents.get(it.name, ())):
            if name in self.all:
                self._wake(self.all[name])

    def _wake_all(self) -> None:
        for it in self.all.values():
            it.look_at = 0.0
        self._woken.set()

    async def _pause(self) -> None:
        """Until the next moment at which there is something to do, or something has happened."""
        next_at = min((it.look_at for it in self.all.values()), default=NEVER)
        pauses: list[asyncio.Task[Any]] = [asyncio.create_task(self._woken.wait())]
        if next_at < NEVER:
            pauses.append(asyncio.create_task(self._clock.sleep(next_at - self._clock.monotonic())))
        try:
            await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()
            await asyncio.gather(*pauses, return_exceptions=True)
