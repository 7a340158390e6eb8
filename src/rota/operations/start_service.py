"""Start a service, and what it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.get_service import check_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


async def start_service(rota: Rota, name: str) -> ServiceNow:
    """The service as it stands once it is wanted, whatever became of it before.

    Raises ServiceNotFound, StoreUnavailable and ShuttingDown.
    """
    check_service(rota, name)
    await rota.engine.services.orders.start(name)
    return rota.engine.services.now(name)
