"""Orders: what somebody wants of services, written down before anything of it is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from rota.engine.services.definition import Redefinition, fingerprint, redefinition, secrets_of
from rota.engine.services.ending import asked_for
from rota.engine.services.order import autostarted, with_dependencies
from rota.engine.services.supervised import Supervised
from rota.model.error import ServiceNotFound, ShuttingDown
from rota.model.service import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from rota.engine.clock import Clock
    from rota.engine.services.supervisor import Supervisor
    from rota.model.service import Service
    from rota.storage.store import Store


class Orders:
    """One order at a time. Names are of services that there are; else ServiceNotFound is raised.

    Everything here raises StoreUnavailable, having changed nothing, and ShuttingDown.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        store: Store,
        clock: Clock,
        digests: Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]],
    ) -> None:
        self._supervisor = supervisor
        self._all = supervisor.all
        self._store = store
        self._clock = clock
        self._digests = digests
        self._turn = asyncio.Lock()

    async def start(self, name: str) -> None:
        """It is wanted, and so is all that it depends on; whatever became of these before."""
        async with self._turn:
            self._know(name)
            names = with_dependencies(self._supervisor.services, [name])
            wanted = {each: replace(self._all[each].wanted, running=True) for each in names}
            await self._want(wanted, asked_for=names)
            self._ask_for(names)

    async def stop(self, name: str) -> None:
        """It is not wanted."""
        async with self._turn:
            self._know(name)
            wanted = self._all[name].wanted
            await self._want({name: replace(wanted, running=False, stale=frozenset(), rolling=False)})
            self._supervisor.look_at_once([name])

    async def restart(self, name: str, *, rolling: bool) -> None:
        """Every life is to be replaced: all at once, or one after another, waiting for health."""
        async with self._turn:
            self._know(name)
            names = with_dependencies(self._supervisor.services, [name])
            wanted = {each: replace(self._all[each].wanted, running=True) for each in names}
            wanted[name] = replace(wanted[name], stale=self._all[name].lives, rolling=rolling)
            await self._want(wanted, asked_for=names)
            self._ask_for(names)

    async def scale(self, name: str, instances: int) -> None:
        """So many instances are wanted, when it is running."""
        async with self._turn:
            self._know(name)
            it = self._all[name]
            scale = None if instances == it.service.instances else instances
            await self._want({name: replace(it.wanted, scale=scale)})
            self._supervisor.look_at_once([name])

    def would_redefine(self, services: Mapping[str, Service]) -> Redefinition:
        """What other definitions would ask for; of restarts, those of services that live, or would."""
        asked = redefinition(self._supervisor.services, services)
        there = (self._all[name] for name in asked.restarted)
        return replace(asked, restarted=tuple(it.name for it in there if it.lives or it.is_set_back))

    async def redefine(self, services: Mapping[str, Service], *, go_over: Callable[[], None]) -> Redefinition:
        """Go over to other definitions, all or nothing; `would_redefine` tells beforehand what that does.

        A service that is changed in what its processes see restarts, one instance after another, and what
        has failed of it is tried again; a change of `instances` scales; one that is removed stops; all
        others go on with the same lives. `go_over` replaces the rules of `Definitions`, by which new lives
        begin, once all is written.
        """
        async with self._turn:
            asked = self.would_redefine(services)
            changed = redefinition(self._supervisor.services, services).restarted
            started = autostarted(services)
            wanted = {
                name: await self._redefined(service, asked, started=name in started)
                for name, service in services.items()
            }
            self._check()
            await self._store.save_services(wanted, forget=asked.removed)
            go_over()
            for name, service in services.items():
                it = self._all.setdefault(name, Supervised(service, wanted[name]))
                it.service, it.wanted, it.removed = service, wanted[name], False
                it.fit()
                if name not in changed:
                    continue
                it.try_again(self._clock.monotonic())
                if not it.lives <= it.wanted.stale:  # one began while this was written
                    it.wanted = replace(it.wanted, stale=it.lives, rolling=True)
                    self._supervisor.save_soon(name)
            for name in asked.removed:
                self._all[name].wanted = Wanted(running=False)
                self._all[name].removed = True
            self._supervisor.go_by(services)
            return asked

    async def fingerprint(self, service: Service) -> str:
        """A text that changes when what the processes of a service see does."""
        return fingerprint(service, await self._digests(secrets_of(service)))

    async def _redefined(self, service: Service, asked: Redefinition, *, started: bool) -> Wanted:
        it = self._all.get(service.name)
        if it is None:
            wanted = Wanted(running=started)
        elif it.removed:  # it comes back before all of it has ended: what still lives is of another one
            wanted = Wanted(running=started, stale=it.lives, rolling=True)
        else:
            wanted = it.wanted
            if service.name in asked.scaled:
                wanted = replace(wanted, scale=None)
            if service.name in asked.restarted:
                wanted = replace(wanted, stale=it.lives, rolling=True)
        return replace(wanted, declared=service.instances, fingerprint=await self.fingerprint(service))

    async def _want(self, wanted: Mapping[str, Wanted], *, asked_for: Sequence[str] = ()) -> None:
        self._check()
        await self._store.save_services(wanted, asked_for=asked_for)
        for name, each in wanted.items():
            self._all[name].wanted = each
            self._all[name].fit()

    def _know(self, name: str) -> None:
        """An order may have waited while definitions came that know no such service."""
        if name not in self._supervisor.services:
            raise ServiceNotFound(name)

    def _check(self) -> None:
        if self._supervisor.closing:
            raise ShuttingDown

    def _ask_for(self, names: Iterable[str]) -> None:
        """Have those tried again that were given up, or wait for their next try."""
        now = self._clock.monotonic()
        for it in (self._all[name] for name in names):
            for instance in list(it.instances):
                it.put(asked_for(instance, now), remember=True)
        self._supervisor.look_at_once(names)
