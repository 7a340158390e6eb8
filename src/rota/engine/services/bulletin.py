"""The bulletin: tells how instances come to stand, and keeps for the next server how they have fared."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from rota.engine.services.instance import state
from rota.engine.services.taking_up import remembered
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind, InstanceChange
from rota.model.service import InstanceState

if TYPE_CHECKING:
    import asyncio

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.services.supervised import Supervised
    from rota.engine.store_watch import StoreWatch
    from rota.events.bus import Bus
    from rota.storage.store import Store

log = structlog.get_logger()


class Bulletin:
    """What leaves the supervisor, beside orders to the lives themselves."""

    def __init__(
        self, *, store: Store, bus: Bus, clock: Clock, watch: StoreWatch, background: Background
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._watch = watch
        self._background = background

    def tell(self, it: Supervised, now: float) -> bool:
        """One event for each instance that stands otherwise than was told last; whether there was any."""
        changed = False
        for instance in it.instances:
            here = state(it.service, instance, wanted=it.is_wanted(instance.index), now=now)
            before, _ = it.told.get(instance.index, (None, None))
            if here is before:
                continue
            at = self._clock.now()
            it.told[instance.index] = (here, at)
            if here is InstanceState.STOPPED and before is None:
                continue  # it was so before this server, or never otherwise
            changed = True
            change = InstanceChange(
                service=it.name,
                index=instance.index,
                state=here,
                was=before or InstanceState.STOPPED,
                run_id=instance.last_run_id,
            )
            self._bus.emit(EventKind(f"service.{here}"), at, instance=change, message=instance.message)
        return changed

    def remember(self, it: Supervised) -> None:
        """Write what is to be remembered, now or when the store can be written again."""
        if not it.unwritten or self._watch.failing:
            return
        indexes, it.unwritten = it.unwritten, set()
        there = [remembered(it.instances[index]) for index in sorted(indexes) if index < len(it.instances)]
        try:
            written = self._store.save_instances(it.name, there)
        except StoreUnavailable as error:
            self._is_refused(it, indexes, error)
        else:
            self._background.attend(written, partial(self._is_written, it, indexes))

    def _is_written(self, it: Supervised, indexes: set[int], written: asyncio.Future[Any]) -> None:
        if (error := written.exception()) is not None:
            self._is_refused(it, indexes, error)

    def _is_refused(self, it: Supervised, indexes: set[int], error: BaseException) -> None:
        it.unwritten |= indexes
        if isinstance(error, StoreUnavailable):
            self._watch.failed(error)
        else:  # a fault of ours: it is tried again with what happens next
            log.error("how a service fares could not be written", service=it.name, exc_info=error)
