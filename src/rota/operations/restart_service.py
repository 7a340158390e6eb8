"""Restart a service: every life of it is replaced by another, all at once or one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.get_service import check_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


async def restart_service(rota: Rota, name: str, *, rolling: bool) -> ServiceNow:
    """The service as it stands when its restart has begun; `rolling` waits for health after each instance.

    Raises ServiceNotFound, StoreUnavailable and ShuttingDown.
    """
    check_service(rota, name)
    await rota.engine.services.orders.restart(name, rolling=rolling)
    return rota.engine.services.now(name)
