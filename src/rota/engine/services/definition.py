"""What of a service's definition its processes can see, and what a new definition asks for. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from rota.model.secret import Secret
from rota.model.service import Service
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What of a life's rules is for Rota alone: it counts from the next life on, or at once, without a restart.
_UNSEEN = frozenset(
    {
        *("name", "description", "group", "tags", "stop_signal", "grace", "exit_codes", "failures"),
        *("log_max_size", "log_on_full", "keep_runs", "keep_for"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Redefinition:
    """What another set of definitions asks for, by the names of services."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()  #: their lives end
    restarted: tuple[str, ...] = ()  #: changed in what their processes see: one life after another
    scaled: tuple[str, ...] = ()  #: they have another number of instances
    changed: tuple[str, ...] = ()  #: in any way; those that are restarted or scaled, too


def redefinition(before: Mapping[str, Service], after: Mapping[str, Service]) -> Redefinition:
    """The way from one set of services to another."""
    both = [name for name in after if name in before]
    return Redefinition(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        restarted=tuple(name for name in both if dict(seen(before[name])) != dict(seen(after[name]))),
        scaled=tuple(name for name in both if before[name].instances != after[name].instances),
        changed=tuple(name for name in both if before[name] != after[name]),
    )


def seen(service: Service) -> Iterator[tuple[str, object]]:
    """What a process of the service can tell of its definition."""
    for field in fields(service.life):
        if field.name not in _UNSEEN:
            yield field.name, getattr(service.life, field.name)
    yield "port", service.port
    health = service.health
    yield "notify", health.patience if health is not None and health.notify else None  # WATCHDOG_USEC has it


def secrets_of(service: Service) -> dict[str, str]:
    """The values in it that nobody may see, each under a name of its own."""
    life = service.life
    return {
        f"{kind}.{name}": secret.reveal()
        for kind, held in (("secrets", life.secrets), ("file_env", life.file_env))
        for name, secret in held.items()
    }


def fingerprint(service: Service, digests: Mapping[str, str]) -> str:
    """A text that changes when what its processes see does; `digests` stand for its secrets.

    What has its default is left out: a key that a later version of Rota brings restarts nothing.
    """
    defaults = dict(seen(Service(life=Task(name="", run=""))))
    plain = [
        (name, _ordered(value))
        for name, value in seen(service)
        if name not in ("secrets", "file_env") and value != defaults[name]
    ]
    return hashlib.sha256(repr((plain, sorted(digests.items()))).encode()).hexdigest()


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        return sorted((key, each) for key, each in value.items() if not isinstance(each, Secret))
    return sorted(value) if isinstance(value, frozenset) else value
