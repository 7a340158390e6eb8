"""Shells: how each is told to run a script, and whether it can hand arguments to one. Pure."""

from __future__ import annotations

import re
import shlex
from functools import cache

_POSIX = re.compile(r"^r?(sh|bash|dash|ash|ksh\d*|mksh|lksh|oksh|pdksh|yash|posh|zsh)(-?[\d.]+)?$")
"""Shells in which `-e` ends a script at its first failing command (elsewhere it means something else), and in
which the first word after the script is not an argument but the script's name."""

_PLAIN = re.compile(r"^(fish|python[\d.]*|pypy[\d.]*)$")
"""Programs in which what follows the script are its arguments. Others may take it for more of the script."""


def invocation(shell: str, script: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The program and its arguments that run a script, which finds its own as `"$@"` (or `argv`)."""
    words, name = _words(shell)
    if not _POSIX.match(name):
        return (*words, "-c", script, *arguments)
    return (*words, "-e", "-c", script, *((name, *arguments) if arguments else ()))


def program_of(shell: str) -> str:
    """The program that such a script is run by."""
    return _words(shell)[0][0]


def hands_on_arguments(shell: str) -> bool:
    """Whether a script of this shell can be given arguments that stay apart from its text."""
    name = _words(shell)[1]
    return bool(_POSIX.match(name) or _PLAIN.match(name))


def is_posix(shell: str) -> bool:
    """Whether it is a shell in the manner of `sh`."""
    return bool(_POSIX.match(_words(shell)[1]))


@cache
def _words(shell: str) -> tuple[tuple[str, ...], str]:
    """The words of a shell, which may have arguments, and its name; there are few, and splitting is slow."""
    words = tuple(shlex.split(shell))
    names = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
    return words, names[-1] if names else ""
