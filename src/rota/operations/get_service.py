"""One service: its definition, what is wanted of it, and how each of its instances stands."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rota.model.error import ServiceNotFound, TaskIsService

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


def get_service(rota: Rota, name: str) -> ServiceNow:
    """The service as it stands. Raises ServiceNotFound."""
    check_service(rota, name)
    return rota.engine.services.now(name)


def check_no_service(rota: Rota, name: str) -> None:
    """Raise TaskIsService when what is meant to be a task is a service."""
    if name in rota.engine.services.services:
        raise TaskIsService(name)


def check_service(rota: Rota, name: str) -> None:
    """Raise ServiceNotFound when there is no such service."""
    services = rota.engine.services.services
    if name not in services:
        nearest = difflib.get_close_matches(name, services, n=1)
        raise ServiceNotFound(name, nearest[0] if nearest else None, is_task=name in rota.engine.tasks)
