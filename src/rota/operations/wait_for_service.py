"""Wait for a service: until no instance of it is on its way anywhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rota.model.event import EventKind
from rota.model.service import InstanceState
from rota.operations.get_service import get_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota

_PASSING = frozenset({InstanceState.STARTING, InstanceState.STOPPING, InstanceState.BACKING_OFF})
_CHANGES = frozenset(EventKind(f"service.{state}") for state in InstanceState)


async def wait_for_service(rota: Rota, name: str, timeout: float) -> ServiceNow:  # noqa: ASYNC109  the service goes on
    """The service once it has settled, or as it stands after so many seconds. Raises ServiceNotFound."""
    with rota.bus.subscribe(kinds=_CHANGES, task_name=name) as changes:
        now = get_service(rota, name)
        try:
            async with asyncio.timeout(timeout):
                while not has_settled(now):
                    await anext(changes)
                    now = get_service(rota, name)
        except (TimeoutError, StopAsyncIteration):
            return get_service(rota, name)
    return now


def has_settled(now: ServiceNow) -> bool:
    """Whether every instance stands as it will, unless something happens, and no restart is under way."""
    count = now.scale if now.wanted.running else 0
    unwanted = any(each.index >= count and each.state is not InstanceState.STOPPED for each in now.instances)
    return not now.left and not unwanted and _PASSING.isdisjoint(each.state for each in now.instances)
