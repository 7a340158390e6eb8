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

_CHANGES = frozenset(EventKind(f"service.{state}") for state in InstanceState)


async def wait_for_service(rota: Rota, name: str, timeout: float) -> ServiceNow:  # noqa: ASYNC109  the service goes on
    """The service once it has settled, or as it stands after so many seconds. Raises ServiceNotFound."""
    with rota.bus.subscribe(kinds=_CHANGES) as changes:  # also of what it waits for
        now = get_service(rota, name)
        try:
            async with asyncio.timeout(timeout):
                while not now.settled:
                    await anext(changes)
                    now = get_service(rota, name)
        except (TimeoutError, StopAsyncIteration):
            return get_service(rota, name)
    return now
