"""Conflicts of services: names that are taken or unknown, circles of dependence, ports that there are not."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rota.model.service import HIGHEST_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.config.conflict import Conflict
    from rota.model.service import Service


def conflicts_of_services(services: Mapping[str, Service], document: Mapping[str, Any]) -> list[Conflict]:
    """Every conflict, with its place. What `document` names is there, be it sound or not."""
    tasks, known = _names(document, "tasks"), _names(document, "services")
    return [
        *_of_names(known, tasks),
        *(
            (("services", name, *path), sentence)
            for name, service in services.items()
            for path, sentence in (*_of_dependence(service, known, tasks), *_of_port(service))
        ),
        *_of_circles(services),
    ]


def circle(services: Mapping[str, Service], name: str) -> list[str] | None:
    """The shortest way from a service along `depends_on` back to itself, if there is one."""
    ways = [[name]]
    seen: set[str] = set()
    for way in ways:  # which grows meanwhile
        for other in services[way[-1]].depends_on if way[-1] in services else ():
            if other == name:
                return [*way, name]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return None


def _names(document: Mapping[str, Any], kind: str) -> list[str]:
    tables = document.get(kind)
    return [*tables] if isinstance(tables, dict) else []


def _of_names(services: list[str], tasks: list[str]) -> Iterator[Conflict]:
    for name in services:
        if name in tasks:
            wrong = f'there is a task "{name}" too, and tasks and services share their names'
            yield ("services", name), (wrong, "another name", None)


def _of_dependence(service: Service, known: list[str], tasks: list[str]) -> Iterator[Conflict]:
    for place, name in enumerate(service.depends_on):
        path = ("depends_on", place) if len(service.depends_on) > 1 else ("depends_on",)
        if name in known:
            continue
        others = [other for other in known if other != service.name]
        allowed = ", ".join(others) or "none: this file has no other [services.NAME]"
        if name in tasks:
            yield path, (f'"{name}" is a task, which is never healthy', allowed, None)
        else:
            near = get_close_matches(name, others, n=1, cutoff=0.7)
            yield path, (f'there is no service "{name}"', allowed, near[0] if near else None)


def _of_circles(services: Mapping[str, Service]) -> Iterator[Conflict]:
    told: set[str] = set()
    for name in services:
        way = None if name in told else circle(services, name)
        if way is not None:
            told.update(way)
            wrong = f"none of these can be the first: {' waits for '.join(way)}"
            yield ("services", name, "depends_on"), (wrong, "services that do not wait for this one", None)


def _of_port(service: Service) -> Iterator[Conflict]:
    health = service.health
    if service.port is None:
        for kind in ("command", "http", "tcp"):
            checked = getattr(health, kind, None)
            texts = [checked] if isinstance(checked, str) else checked or ()
            if any("{port}" in text for text in texts):
                yield (
                    ("health", kind),
                    ("{port} is not known: the service has no port", "a port of its own", None),
                )
    elif service.port + service.instances - 1 > HIGHEST_PORT:
        last = service.port + service.instances - 1
        wrong = f"the last of {service.instances} instances would have the port {last}"
        yield ("port",), (wrong, f"at most {HIGHEST_PORT + 1 - service.instances}", None)
