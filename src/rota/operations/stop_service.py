"""Stop a service: it stays so over restarts of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.get_service import check_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


async def stop_service(rota: Rota, name: str) -> ServiceNow:
    """The service as it stands once it is not wanted any more; its lives are on their way out.

    Raises ServiceNotFound, StoreUnavailable and ShuttingDown.
    """
    check_service(rota, name)
    await rota.engine.services.orders.stop(name)
    return rota.engine.services.now(name)
