"""The difference between two configurations: what is added, removed, changed, and by which keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import DataclassInstance

    from rota.config.config import Config


class PartKind(StrEnum):
    """What a configuration consists of."""

    TASK = "task"  #: a table [tasks.NAME], with what it has of the defaults
    SERVICE = "service"  #: a table [services.NAME], likewise
    GROUP = "group"  #: a table [groups.NAME]
    CALENDAR = "calendar"  #: a table [calendars.NAME]
    TABLE = "table"  #: a table that there is once, such as [jobs]; its name is the table's


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A part of a configuration."""

    kind: PartKind
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A part that says something else than before."""

    kind: PartKind
    name: str
    keys: tuple[str, ...]  #: those whose meaning has changed, as the file calls them


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Each in the order of the configuration that says it."""

    added: tuple[Named, ...] = ()
    removed: tuple[Named, ...] = ()
    changed: tuple[Changed, ...] = ()
    needs_server_restart: tuple[str, ...] = ()  #: keys such as `server.port`, which stay as they were

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.needs_server_restart)


#: What a server cannot change while it serves.
FIXED = {"server": ("host", "port")}

#: What the file calls a field of another name.
_KEYS = {"except_": "except", "file_env": "env_file"}

#: What stands in no file.
_NO_KEYS = frozenset({"name"})


_Things = Mapping[str, "DataclassInstance"]
_Pair = tuple[PartKind, _Things, _Things]


def settled(before: Config, after: Config) -> Config:
    """The configuration that holds once a server that goes by `before` is told `after`."""
    kept = {
        table: replace(getattr(after, table), **{key: getattr(getattr(before, table), key) for key in keys})
        for table, keys in FIXED.items()
    }
    return replace(after, **kept)


def difference(before: Config, after: Config) -> Difference:
    """What is to change for `after` to hold."""
    pairs: list[_Pair] = [
        (PartKind.TASK, before.tasks, after.tasks),
        (PartKind.SERVICE, before.services, after.services),
        (PartKind.GROUP, before.groups, after.groups),
        (PartKind.CALENDAR, before.calendars, after.calendars),
    ]
    return Difference(
        added=tuple(
            Named(kind=kind, name=name) for kind, old, new in pairs for name in new if name not in old
        ),
        removed=tuple(
            Named(kind=kind, name=name) for kind, old, new in pairs for name in old if name not in new
        ),
        changed=(*(each for pair in pairs for each in _changed(*pair)), *_tables(before, after)),
        needs_server_restart=tuple(
            f"{table}.{key}"
            for table, keys in FIXED.items()
            for key in keys
            if getattr(getattr(before, table), key) != getattr(getattr(after, table), key)
        ),
    )


def changed_keys(before: DataclassInstance, after: DataclassInstance) -> tuple[str, ...]:
    """The keys in which two things of a kind differ; of a secret's value only that it does."""
    found: list[str] = []
    for field in fields(after):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new or field.name in _NO_KEYS:
            continue
        found += changed_keys(old, new) if isinstance(new, Task) else [_KEYS.get(field.name, field.name)]
    return tuple(dict.fromkeys(found))


def _changed(kind: PartKind, before: _Things, after: _Things) -> Iterator[Changed]:
    for name, new in after.items():
        old = before.get(name)
        if old is not None and old != new:
            yield Changed(kind=kind, name=name, keys=changed_keys(old, new))


def _tables(before: Config, after: Config) -> Iterator[Changed]:
    for name in ("server", "storage", "jobs", "mcp"):
        keys = changed_keys(getattr(before, name), getattr(after, name))
        live = tuple(key for key in keys if key not in FIXED.get(name, ()))
        if live:
            yield Changed(kind=PartKind.TABLE, name=name, keys=live)
