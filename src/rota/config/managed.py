"""The managed file: a task is written into its text, and everything else in it stays as it is. Pure."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rota.model.secret import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterator


_Place = tuple[str | int, ...]
_Secrets = Mapping[_Place, Any]

_NONE: _Secrets = {}

_ANOTHER = f"{REDACTED} (another one)"

_BY_HAND = "; edit it by hand, or mend it"


class NotEditable(Exception):
    """The text cannot be changed so that nothing else in it changes; its own text says why."""


def with_task(text: str, name: str, said: Mapping[str, Any]) -> str:
    """The text with these keys of a task; None takes a key away, and what is not named stays.

    Raises NotEditable, also when the text is no TOML or the values are none of TOML's.
    """
    wanted = _parsed(text)
    tasks = wanted.setdefault("tasks", {})
    if not isinstance(tasks, dict) or not isinstance(tasks.get(name, {}), dict):
        raise NotEditable(f"what stands at tasks.{name} is no table{_BY_HAND}")
    is_new = name not in tasks
    before = tasks.get(name, {})
    tasks[name] = {**before, **said}
    tasks[name] = {key: value for key, value in tasks[name].items() if value is not None}
    try:
        written = _appended(text, name, tasks[name]) if is_new else _edited(text, name, before, said)
    except (TOMLKitError, TypeError, ValueError) as error:
        raise NotEditable(f"{error}") from error
    try:
        found = tomllib.loads(written)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != wanted:  # whatever is at odds here, nobody's file is to be spoiled by it
        raise NotEditable(f"tasks.{name} stands there in a way that only a person can edit{_BY_HAND}")
    return written


def difference_of(before: str, after: str, *, file: str) -> str:
    """The change as a unified diff, in which no secret is shown, though that it is another one."""
    known: _Secrets = {where: holder[key] for where, holder, key in _secrets(_parsed(before))}
    old = _without_secrets(before).splitlines(keepends=True)
    new = _without_secrets(after, known).splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, fromfile=file, tofile=file)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotEditable(f"the file is not TOML: {error}{_BY_HAND}") from error


def _appended(text: str, name: str, said: Mapping[str, Any]) -> str:
    """A new table at the end, where one may always stand."""
    table = tomlkit.table()
    for key, value in said.items():
        table.add(key, _item(key, value))
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[tasks.{tomlkit.key(name).as_string()}]\n{table.as_string()}"


def _edited(text: str, name: str, before: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    document = tomlkit.parse(text)
    table: MutableMapping[str, Any] = document["tasks"][name]
    for key, value in said.items():
        if value is None:
            table.pop(key, None)
        elif key not in before or before[key] != value:
            table[key] = _item(key, value)
    return tomlkit.dumps(document)


def _item(key: str, value: Any) -> Any:
    """The value as people write it: a script over several lines. Raises NotEditable for null."""
    if value is None:
        raise NotEditable("null takes a key of the task away, and can stand for nothing inside of a value")
    if key == "run" and isinstance(value, str) and "\n" in value and "\r" not in value:
        written = tomlkit.string(value, multiline=True).as_string()
        # The first newline behind the quotes is none of the text.
        return tomlkit.value(written if value.startswith("\n") else f'"""\n{written[3:]}')
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for name, each in value.items():
            table.add(name, _item("", each))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for each in value:
            array.append(_item("", each))
        return array.multiline(any(isinstance(each, Mapping) for each in value))
    return tomlkit.item(value)


def _without_secrets(text: str, known: _Secrets = _NONE) -> str:
    """The text with what stands for its secrets, and says which are others than those that are `known`."""
    document = tomlkit.parse(text)
    for where, holder, key in _secrets(document):
        holder[key] = REDACTED if known.get(where, holder[key]) == holder[key] else _ANOTHER
    return tomlkit.dumps(document)


def _secrets(document: Mapping[str, Any]) -> Iterator[tuple[_Place, MutableMapping[str, Any], str]]:
    """Where each secret stands, the table that holds it, and under which key."""
    for kind in ("tasks", "services"):
        tables = document.get(kind)
        for name, table in tables.items() if isinstance(tables, Mapping) else ():
            if not isinstance(table, Mapping):
                continue
            secrets = table.get("secrets")
            if isinstance(secrets, MutableMapping):
                for key in list(secrets):
                    yield (kind, name, "secrets", key), secrets, key
            params = table.get("params")
            for number, param in enumerate(params if isinstance(params, list) else ()):
                if isinstance(param, MutableMapping) and param.get("type") == "secret" and "default" in param:
                    yield (kind, name, "params", number), param, "default"
