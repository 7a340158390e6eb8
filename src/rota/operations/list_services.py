"""Every service with how it stands, by name, a page at a time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


@dataclass(frozen=True, kw_only=True, slots=True)
class ServicePage:
    """Some of the services, by name; `next_name` is the last of them when there are more."""

    items: Sequence[ServiceNow]
    next_name: str | None


def list_services(rota: Rota, *, limit: int, after: str | None) -> ServicePage:
    """The services that follow the name `after`."""
    services = rota.engine.services
    names = sorted(services.services)
    first = 0 if after is None else bisect.bisect_right(names, after)
    chosen = names[first : first + limit]
    more = first + limit < len(names)
    return ServicePage(items=[services.now(name) for name in chosen], next_name=chosen[-1] if more else None)
