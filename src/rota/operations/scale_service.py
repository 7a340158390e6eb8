"""Scale a service: how many instances of it there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid
from rota.model.service import HIGHEST_PORT
from rota.operations.get_service import check_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


async def scale_service(rota: Rota, name: str, instances: int) -> ServiceNow:
    """The service as it stands when so many are wanted; one that is stopped stays so.

    Raises ServiceNotFound, Invalid, StoreUnavailable and ShuttingDown.
    """
    check_service(rota, name)
    service = rota.engine.services.services[name]
    if service.port is not None and service.port + instances - 1 > HIGHEST_PORT:
        wrong = f"the last of them would have the port {service.port + instances - 1}"
        raise Invalid([Fault(location="body.instances", message=wrong, value=instances)])
    await rota.engine.services.orders.scale(name, instances)
    return rota.engine.services.now(name)
