"""The order of services: what each depends on, directly or not, and what depends on it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rota.model.service import Service


def with_dependencies(services: Mapping[str, Service], names: Iterable[str]) -> list[str]:
    """These services and all that they depend on, each after what it depends on itself."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name in services and name not in found:
            for other in services[name].depends_on:
                add(other)
            found[name] = None

    for name in names:
        add(name)
    return list(found)


def autostarted(services: Mapping[str, Service]) -> list[str]:
    """Those that are started by themselves, and what these depend on."""
    return with_dependencies(services, [name for name, service in services.items() if service.autostart])


def dependents(services: Mapping[str, Service]) -> dict[str, tuple[str, ...]]:
    """By each service those that name it in their `depends_on`."""
    return {
        name: tuple(other for other, service in services.items() if name in service.depends_on)
        for name in services
    }
