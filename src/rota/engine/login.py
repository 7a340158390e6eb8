"""A login: whose jobs are, where they begin, and the environment that they find there."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rota.keeper.account import NoAccount, find_account

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.keeper.account import Account

_ETC = Path("/etc")
_PATH = "/usr/local/bin:/usr/bin:/bin"
_ROOTS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What a program finds that a user starts after having logged in."""

    home: str
    environment: Mapping[str, str]


def login(user: str | None, etc: Path = _ETC) -> Login:
    """The login of `user`, or of the user that the server runs as.

    It asks the machine's name services: not to be called where nothing may wait. Raises NoAccount.
    """
    found: Account | None
    try:
        found = find_account(user if user is not None else str(os.geteuid()))
    except NoAccount:
        if user is not None:
            raise
        found = None  # a container's user, of whom no name is known
    if found is None:
        home = os.environ.get("HOME", "/")
        name = str(os.geteuid())
        about = {"HOME": home, "USER": name, "LOGNAME": name, "SHELL": "/bin/sh"}
    else:
        home, about = found.home, found.environment
    is_root = (found.uid if found is not None else os.geteuid()) == 0
    environment = {**about, "PATH": _path(etc, is_root=is_root), "LANG": _lang(etc)}
    return Login(home=home, environment=environment)


def _path(etc: Path, *, is_root: bool) -> str:
    said = _settings(etc / "login.defs", " ").get("ENV_SUPATH" if is_root else "ENV_PATH", "")
    return said.removeprefix("PATH=") or (_ROOTS_PATH if is_root else _PATH)


def _lang(etc: Path) -> str:
    files = (etc / "locale.conf", etc / "default" / "locale")  # most distributions; Debian and its family
    return next((lang for file in files if (lang := _settings(file, "=").get("LANG"))), "C.UTF-8")


def _settings(file: Path, between: str) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.replace("\t", " ").partition(between) for line in lines if not line.startswith("#"))
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value))
    except ValueError:
        return value
