"""Unread: the arguments that a task declares and its script never looks at. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rota.model.param import ParamKind
from rota.model.shell import is_posix

if TYPE_CHECKING:
    from rota.model.param import Param
    from rota.model.task import Task

#: What reads the arguments of a shell's script all together or one after another.
_ALL = re.compile(
    r"\$[@*]|\$\{[@*#]?[@*]|\b(shift|getopts?|set\s+--)\b|\bfor\s+\w+\s*(;|\n|\bdo\b)"
    r"|(?:^|[;&|\n])\s*(?:\.|source)\s"  # another script in its own place, which finds them, too
)
#: And one of them, by its number.
_ONE = re.compile(r"\$([1-9])|\$\{[#!]?([0-9]+)")
#: What a shell does not look into (single quotes, comments), and what it is told from.
_ASIDE = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'[^']*'|(?:^|(?<=\s))\#[^\n]*""", re.DOTALL | re.MULTILINE)
#: What makes quotes mean something else, or has the shell run text that stands in them.
_NOT_AS_IT_SEEMS = re.compile(r"<<|\b(eval|trap)\b")
#: What reads them in another language.
_ELSEWHERE = re.compile(r"argv|argparse|optparse|getopt|fileinput|click|typer|docopt|fire")


def unread(task: Task) -> list[Param]:
    """Those of its arguments that its script cannot have read; a program's own way with them is unknown."""
    arguments = [param for param in task.params if param.is_argument]
    if not isinstance(task.run, str) or not arguments:
        return []
    if not is_posix(task.shell):
        return [] if _ELSEWHERE.search(task.run) else arguments
    script = _looked_at(task.run)
    if _ALL.search(script):
        return []
    read = {int(one or other) for one, other in _ONE.findall(script)} - {0}
    if any(param.kind is not ParamKind.ARG for param in arguments):
        return [] if read else arguments  # which is where depends on what is given
    return [param for place, param in enumerate(arguments, start=1) if place not in read]


def _looked_at(script: str) -> str:
    """A shell's script without what is never its own: nothing in there reads its arguments."""
    if _NOT_AS_IT_SEEMS.search(script):
        return script
    return _ASIDE.sub(lambda found: " " if found[0][0] in "'#" else found[0], script)
