"""Sentences: what pydantic found in a file, told to the person who wrote it."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from rota.config.kinds.process import COMMAND
from rota.config.schema import json_schema
from rota.config.shown import shown
from rota.config.source import dotted, sentence_of
from rota.config.tables.calendar import CalendarTable
from rota.config.tables.defaults import DefaultsTable
from rota.config.tables.health import HealthTable
from rota.config.tables.param import ParamTable
from rota.config.tables.retry import RetryTable
from rota.config.tables.server import ServerTable, StorageTable
from rota.config.tables.service import ServiceTable
from rota.config.tables.table import Table
from rota.config.tables.task import GroupTable, TaskTable
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from rota.config.fault import ConfigFault
    from rota.config.position import KeyPath
    from rota.config.source import Sentence, Source

#: What other programs call our keys.
_MEANT = {
    "command": "run", "cmd": "run", "script": "run", "exec": "run",
    "schedule": "cron", "every": "cron", "interval": "cron", "when": "cron",
    "cwd": "working_dir", "dir": "working_dir", "work_dir": "working_dir", "directory": "working_dir",
    "environment": "env", "tz": "timezone", "graceful_stop": "grace", "kill_timeout": "grace",
    "concurrency": "max_concurrent", "overlap": "on_overlap", "signal": "stop_signal",
    "exclude": "except", "calendar": "only", "start": "not_before", "end": "not_after", "until": "not_after",
    "on_start": "run_on_start", "startup": "run_on_start", "splay": "jitter", "random_delay": "jitter",
    "starting_deadline": "start_deadline", "misfire_grace": "start_deadline", "catchup": "catch_up",
    "desc": "description", "comment": "description", "success_exit_codes": "exit_codes",
    "depends_on": "after", "needs": "after", "on_failure": "after_failure",
    "retries": "retry", "retry_policy": "retry",
    "failure": "failures", "fail_on": "failures",
    "disabled": "enabled", "job": "tasks", "jobs": "tasks",
    "max_log_size": "log_max_size", "log_size": "log_max_size", "retention": "keep_for", "keep": "keep_runs",
    "daemon": "server", "bind": "host", "address": "host",
    "replicas": "instances", "scale": "instances", "numprocs": "instances", "count": "instances",
    "autorestart": "restart", "restart_policy": "restart", "startretries": "restart_attempts",
    "start_retries": "restart_attempts", "max_restarts": "restart_attempts", "startsecs": "healthy_after",
    "healthcheck": "health", "health_check": "health", "requires": "depends_on", "start_on_boot": "autostart",
    "stopwaitsecs": "grace", "stop_timeout": "grace", "timeout_stop_sec": "grace",
    "restart_sec": "restart_delay", "watchdog": "health", "exitcodes": "exit_codes",
    "reload": "reload_signal", "url": "http", "exec_start": "run",
}  # fmt: skip

_WORDS = {
    "string": "text in quotes",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
    "array": "a list",
    "object": "a table",
}
_HOMES: dict[str, type[Table]] = {
    "[server]": ServerTable,
    "[storage]": StorageTable,
    "[calendars.NAME]": CalendarTable,
    "[groups.NAME]": GroupTable,
    "[tasks.NAME]": TaskTable,
    "[services.NAME]": ServiceTable,
    "[defaults]": DefaultsTable,
    "[[tasks.NAME.params]]": ParamTable,
    "[services.NAME.health]": HealthTable,
    "retry": RetryTable,
}

#: Keys whose values may be secrets, which no sentence repeats.
_HIDDEN = frozenset({"secrets", "default", "choices"})


def faults_of(error: ValidationError, document: dict[str, Any]) -> list[tuple[KeyPath, Sentence]]:
    """Every fault that pydantic found, by its path."""
    found = [(_path(document, detail["loc"]), detail) for detail in error.errors(include_url=False)]
    nearest = {path: _nearest(path) for path, detail in found if detail["type"] == "extra_forbidden"}
    slips = {(*path[:-1], near) for path, near in nearest.items() if near}
    slips |= {(*path[:-1], "run") for path, detail in found if _is_dotted_name(path, detail)}
    return [
        (path, _sentence(path, detail))
        for path, detail in found
        if not (detail["type"] == "missing" and path in slips)  # told already, under its other name
    ]


def placed(
    told: Sequence[tuple[KeyPath, Sentence]], source_of: Callable[[KeyPath], Source]
) -> list[ConfigFault]:
    """What was found, each with its place in the file that says it, in their order."""
    faults = [(source_of(path), path, sentence) for path, sentence in told]
    found = [(source.place, source.fault(path, sentence)) for source, path, sentence in faults]
    found.sort(key=lambda each: (each[0], each[1].line or 0, each[1].column or 0))
    return [fault for _, fault in found]


def warnings_of(
    doubts: Sequence[tuple[KeyPath, str]], source_of: Callable[[KeyPath], Source]
) -> list[ConfigFault]:
    """Doubts with their places."""
    return [source_of(path).fault(path, (sentence, None, None)) for path, sentence in doubts]


def _path(document: dict[str, Any], location: tuple[str | int, ...]) -> KeyPath:
    """The path in the file that pydantic's location means; parts that are not in the file are left out.

    Such parts are the 0 of a list that was written as its only item, and the "[key]" of a bad name.
    """
    here: Any = document
    path: list[str | int] = []
    for number, part in enumerate(location):
        match here:
            case dict() if part in here:
                here = here[part]
            case list() if isinstance(part, int):
                here = here[part]
            case dict() if number == len(location) - 1 and part != "[key]":
                here = None  # a key that is missing
            case _:
                break
        path.append(part)
    return tuple(path)


def _sentence(path: KeyPath, detail: ErrorDetails) -> Sentence:
    kind = detail["type"]
    given = "this" if _HIDDEN.intersection(path[-2:]) else shown(detail["input"])
    match detail.get("ctx", {}).get("error"):
        case Unreadable() as unreadable:
            return sentence_of(unreadable)
    if kind == "extra_forbidden":
        return _unknown(path, detail)
    allowed = _phrase(_schema_at(path))
    if kind == "missing":
        return f"the {'service' if path[0] == 'services' else 'task'} has nothing to run", COMMAND, None
    if kind == "enum":
        meant = detail["input"].lower() if isinstance(detail["input"], str) else ""
        near = get_close_matches(meant, _schema_at(path).get("enum", ()), n=1)
        return f"{given} is not one of them", allowed, near[0] if near else None
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"{given} is too {'small' if kind.startswith('greater') else 'large'}", allowed, None
    if kind == "too_short":
        return "the list is empty", f"{allowed}, at least one", None
    return f"{given} does not fit here", allowed, None


def _unknown(path: KeyPath, detail: ErrorDetails) -> Sentence:
    *above, key = path
    keys = _keys_of(tuple(above))
    where = f"[{dotted(tuple(above))}]" if above else "the file"
    homes = [home for home, table in _HOMES.items() if key in _names_of(table)]
    if homes and _MEANT.get(str(key)) not in keys:  # a key that there is, rather than one that is like it
        return f"{key} has no place in {where}", f"it in {' or '.join(homes)}", None
    if near := _nearest(path):
        return f"there is no key {key} in {where}", ", ".join(keys), near
    if _is_dotted_name(path, detail):
        name = f"{above[1]}.{key}"
        kind = str(above[0])
        allowed = f'[{kind}."{name}"] for a {kind.removesuffix("s")} of the name {name}'
        return f"there is no table {key} in {where}", allowed, None
    return f"there is no key {key} in {where}", ", ".join(keys), None


def _names_of(table: type[Table]) -> set[str]:
    return {field.alias or name for name, field in table.model_fields.items()}


def _is_dotted_name(path: KeyPath, detail: ErrorDetails) -> bool:
    """Whether this is a task or service a.b, written as [tasks.a.b], which is a table b of a task a."""
    return detail["type"] == "extra_forbidden" and len(path) == 3 and isinstance(detail["input"], dict)


def _nearest(path: KeyPath) -> str | None:
    """The key of the same table that was probably meant by an unknown one."""
    return _near(str(path[-1]).lower().replace("-", "_"), _keys_of(path[:-1]))


@lru_cache  # a slip is often made in every task
def _near(key: str, keys: tuple[str, ...]) -> str | None:
    if _MEANT.get(key) in keys:
        return _MEANT[key]
    near = get_close_matches(key, keys, n=1, cutoff=0.65)
    return near[0] if near else None


def _keys_of(path: KeyPath) -> tuple[str, ...]:
    return tuple(sorted(_schema_at(path).get("properties", {})))


def _schema_at(path: KeyPath) -> dict[str, Any]:
    """The part of the JSON Schema that is about this path."""
    whole = _schema()
    here: dict[str, Any] = whole
    for part in path:
        match here:
            case {"properties": properties} if part in properties:
                here = properties[part]
            case {"patternProperties": patterns}:
                here = next(iter(patterns.values()))
            case {"items": items} | {"anyOf": [_, {"items": items}]}:
                here = items
            case _:
                return {}
        if "$ref" in here:
            here = here | whole["$defs"][here["$ref"].rpartition("/")[2]]
    return here


@cache
def _schema() -> dict[str, Any]:
    return json_schema()


def _phrase(schema: dict[str, Any]) -> str:
    """A part of the JSON Schema in words."""
    match schema:
        case {"$ref": name}:
            return _phrase(_schema()["$defs"][name.rpartition("/")[2]])
        case {"const": only}:
            return shown(only)
        case {"enum": values}:
            *most, last = (f'"{value}"' for value in values)
            return f"{', '.join(most)} or {last}"
        case {"anyOf": choices}:
            return " or ".join(_phrase(choice) for choice in choices)
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"a whole number from {low} to {high}"
        case {"type": "array", "items": items}:
            return f"a list in which each item is {_phrase(items)}"
        case {"type": kind}:
            return _WORDS[kind]
    return "nothing of the kind"
