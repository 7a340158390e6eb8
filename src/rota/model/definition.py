"""A definition in writing: what a task or service says, kept for the runs that started under it. Pure.

It holds the names of secrets, and none of their values. What it leaves out has Rota's default, so that a new
version of Rota, which knows more keys, finds no definition changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rota.model.backoff import Backoff
from rota.model.retry import Retry
from rota.model.run import FAILURES, EndReason
from rota.model.secret import REDACTED, Secret
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One of the definitions that a task or service has had, numbered from 1 on."""

    name: str
    number: int
    since: datetime  #: when it was first loaded
    definition: Mapping[str, Any]  #: as `written` has it


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: Fields that are another text in the file.
_AS_IN_THE_FILE = {"umask": "{:04o}".format}


def written(definition: DataclassInstance) -> dict[str, Any]:
    """What a definition says, as JSON has it; durations are seconds."""
    keys, defaults, values_of = _fields(type(definition))
    said: dict[str, Any] = {}
    for key, default, value in zip(keys, defaults, values_of(definition), strict=True):
        if value is default or value == default:  # the first is quicker, and mostly enough
            continue
        if isinstance(value, Task):  # what each life of a service runs
            said |= written(value)
        else:
            said[key] = _AS_IN_THE_FILE[key](value) if key in _AS_IN_THE_FILE else _value(value)
    return said


def text_of(definition: DataclassInstance) -> str:
    """The same as text, which is equal for equal definitions."""
    return _encode(written(definition))


def digest_of(text: str) -> str:
    """What tells one such text from another."""
    return hashlib.blake2b(text.encode(errors="backslashreplace"), digest_size=16).hexdigest()


def judging(revision: Revision) -> Task:
    """Of a definition that no file has any more: by what a run that it started is judged at its end."""
    exit_codes = revision.definition.get("exit_codes", (0,))
    failures = frozenset(EndReason(each) for each in revision.definition.get("failures", FAILURES))
    return Task(
        name=revision.name,
        run=(),
        exit_codes=frozenset(exit_codes),
        failures=failures,
        retry=_retry(revision.definition.get("retry", {})),
    )


def _retry(said: Mapping[str, Any]) -> Retry:
    """What `written` has made of it."""
    read: dict[str, Any] = {
        key: timedelta(seconds=said[key]) for key in ("delay", "max_delay", "jitter") if key in said
    }
    if "backoff" in said:
        read["backoff"] = Backoff(said["backoff"])
    if "on" in said:
        read["on"] = frozenset(each if isinstance(each, int) else EndReason(each) for each in said["on"])
    return Retry(attempts=said.get("attempts", 1), **read)


@cache
def _fields(
    kind: type[DataclassInstance],
) -> tuple[tuple[str, ...], tuple[object, ...], Callable[[object], tuple[object, ...]]]:
    """What the file calls each field, their defaults, and what gets their values."""
    names = [field.name for field in fields(kind)]
    defaults = (
        field.default_factory() if field.default_factory is not MISSING else field.default
        for field in fields(kind)
    )
    get = attrgetter(*names)
    values_of = get if len(names) > 1 else lambda definition: (get(definition),)
    return tuple(name.removesuffix("_") for name in names), tuple(defaults), values_of


def _value(value: Any) -> Any:
    match value:
        case Secret():
            return REDACTED
        case timedelta():
            return value.total_seconds()
        case date():
            return value.isoformat()
        case Mapping():
            hidden = any(isinstance(each, Secret) for each in value.values())
            return sorted(value) if hidden else {key: _value(each) for key, each in value.items()}
        case frozenset():
            return sorted(value, key=lambda each: (isinstance(each, str), each))  # numbers come first
        case tuple():
            return [_value(each) for each in value]
    return written(value) if is_dataclass(value) and not isinstance(value, type) else value
