"""Expansion: `${VAR}` and `${file:path}` in the texts of a file become what they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rota.config import side_file
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rota.config.position import KeyPath

Wrong = tuple["KeyPath", Unreadable]

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}\n]*)(\}?)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALLOWED = "${NAME} of an environment variable, ${file:path}, or $${ for these two characters"


def expanded(
    document: dict[str, Any], *, environ: Mapping[str, str], folder: str, seen: set[str]
) -> tuple[dict[str, Any], list[Wrong]]:
    """The same document with every reference replaced, and those that name nothing, which stay as they are.

    What a reference names is not looked through for others. Commands are left to their shell. The files
    that are named are added to `seen`.
    """
    wrong: list[Wrong] = []

    def replace(text: str, path: KeyPath) -> str:
        if "${" not in text:
            return text
        try:
            return _REFERENCE.sub(lambda found: _named(found, environ, folder, seen), text)
        except Unreadable as unreadable:
            wrong.append((path, unreadable))
            return text

    return _walk(document, (), replace), wrong


def _walk(value: Any, path: KeyPath, replace: Callable[[str, KeyPath], str]) -> Any:
    match value:
        case str():
            return replace(value, path)
        case dict():
            return {
                key: each if _is_command((*path, key)) else _walk(each, (*path, key), replace)
                for key, each in value.items()
            }
        case list():
            return [_walk(each, (*path, place), replace) for place, each in enumerate(value)]
    return value


def _is_command(path: KeyPath) -> bool:
    if path[:1] not in (("tasks",), ("services",)):
        return False
    return path[2:] in (("run",), ("health", "command"))


def _named(found: re.Match[str], environ: Mapping[str, str], folder: str, seen: set[str]) -> str:
    if found[0] == "$${":
        return "${"
    name, closed = found[1], found[2]
    if not closed:
        raise Unreadable("a ${ has no }", _ALLOWED)
    if name.startswith("file:"):
        path = side_file.find(name.removeprefix("file:"), folder)
        seen.add(path)
        return side_file.read(path).rstrip("\r\n")
    if not _VARIABLE.fullmatch(name):
        raise Unreadable(f"${{{name}}} names nothing", _ALLOWED)
    if name not in environ:
        raise Unreadable(f"the environment variable {name} is not set", "one that is, or $${ for ${ itself")
    try:
        environ[name].encode()
    except UnicodeEncodeError:
        raise Unreadable(f"the environment variable {name} is not UTF-8", "one that is") from None
    return environ[name]
