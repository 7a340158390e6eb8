"""What a process begins with: a command and its shell, folder, user and umask; and signals."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from rota.config.kinds.kind import TEXT
from rota.config.kinds.text import Text, file, text
from rota.config.shown import shown
from rota.model.service import SIGNALS
from rota.model.task import STOP_SIGNALS
from rota.timing.unreadable import Unreadable

_USER = re.compile(r"^[^:/\s\x00]+(:[^:/\s\x00]+)?$")
_UMASK = re.compile(r"^0?[0-7]{3}$")
COMMAND = 'text for the shell, or a list of a program and its arguments such as ["rsync", "-a", "/srv/"]'

#: Programs whose `-c` means another thing than that of a shell: such a run would succeed and do nothing.
_CHECKERS = re.compile(r"(perl|ruby|node|nodejs|php)[0-9.]*$")


def _command(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        if not value.strip():
            raise Unreadable("there is nothing to run", COMMAND)
        return text(value)
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} cannot be run", COMMAND)
    if not value or value[0] == "":
        raise Unreadable("there is no program to run", COMMAND)
    for argument in value:
        if not isinstance(argument, str):
            raise Unreadable(f"{shown(argument)} cannot be an argument", "only text in the list")
        text(argument)
    return tuple(value)


def _shell(value: str) -> str:
    if re.search(r"\s-", value):
        raise Unreadable(
            "a shell is one program, without arguments",
            "such as /bin/bash; options go into the script, such as set -u",
        )
    if not value or ("/" in value and not value.startswith("/")):
        raise Unreadable(
            f'"{value}" is not a shell', "an absolute path such as /bin/bash, or a name such as bash"
        )
    if found := _CHECKERS.match(value.rpartition("/")[2]):
        option = "-r" if found[1] == "php" else "-e"
        raise Unreadable(
            f"{found[1]} -c checks the text that follows, and does not run it",
            f'no shell, and as a list: run = ["{value}", "{option}", "..."]',
        )
    return value


def _program(value: str) -> str:
    expanded = _folder(value) if value.startswith("~") else value
    if not expanded.strip() or ("/" in expanded and not expanded.startswith("/")):
        raise Unreadable(f'"{value}" names no program', 'a name such as "git", or an absolute path')
    return expanded


def _folder(value: str) -> str:
    expanded = os.path.expanduser(value)  # noqa: PTH111  # Path raises where this returns what it cannot expand
    if expanded.startswith("~"):
        raise Unreadable(f'"{value}" begins with a user that this machine does not know', "an absolute path")
    if not value:
        raise Unreadable("it is empty", 'a folder; "." is the folder of this file')
    return expanded


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise Unreadable(f'"{value}" is no user', "such as backup, or backup:adm to name a group, too")
    return value


def _umask(value: Any) -> int:
    if not isinstance(value, str) or not _UMASK.fullmatch(value):
        raise Unreadable(f"{shown(value)} is no umask", 'an octal number in quotes, such as "027"')
    return int(value, 8)


def _stop_signal(value: str) -> str:
    return _signal(value, STOP_SIGNALS, "to stop with")


def _any_signal(value: str) -> str:
    return _signal(value, SIGNALS, "to send")


def _signal(value: str, allowed: tuple[str, ...], what_for: str) -> str:
    full = value if value.startswith("SIG") else f"SIG{value}"
    if full not in allowed:
        meant = value.upper() if value.upper().startswith("SIG") else f"SIG{value.upper()}"
        raise Unreadable(
            f'"{value}" is not a signal {what_for}',
            f"{', '.join(allowed)}, with or without SIG",
            meant if meant in allowed else None,
        )
    return full


Command = Annotated[
    str | tuple[str, ...],
    PlainValidator(_command),
    WithJsonSchema({
        "anyOf": [
            TEXT | {"pattern": r"\S"},
            {"type": "array", "items": TEXT, "minItems": 1, "prefixItems": [TEXT | {"minLength": 1}]},
        ]
    }),
]  # fmt: skip
Shell = Annotated[Text, AfterValidator(_shell)]
Program = Annotated[Text, AfterValidator(_program)]
Folder = Annotated[Text, AfterValidator(_folder)]
ManagedFile = Annotated[str, AfterValidator(file), AfterValidator(_folder)]
User = Annotated[str, AfterValidator(_user), WithJsonSchema(TEXT | {"pattern": _USER.pattern})]
Umask = Annotated[int, PlainValidator(_umask), WithJsonSchema(TEXT | {"pattern": _UMASK.pattern})]
Signal = Annotated[
    str,
    AfterValidator(_stop_signal),
    WithJsonSchema(TEXT | {"enum": [*STOP_SIGNALS, *(name.removeprefix("SIG") for name in STOP_SIGNALS)]}),
]
AnySignal = Annotated[
    str,
    AfterValidator(_any_signal),
    WithJsonSchema(TEXT | {"enum": [*SIGNALS, *(name.removeprefix("SIG") for name in SIGNALS)]}),
]
