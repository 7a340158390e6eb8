"""What a run is called in a line of text: its task, or the name or the command of its job."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: So many characters of a command say which it is.
SHORT = 40


def label(run: Mapping[str, Any]) -> str:
    """A word or a few; a command is cut short."""
    said: str = run["task_name"] or run["name"] or " ".join(command(run).split())
    return said if len(said) <= SHORT else f"{said[: SHORT - 1]}…"


def command(run: Mapping[str, Any]) -> str:
    """The command of a job, as a shell would take it."""
    given = run["command"] or ""
    return given if isinstance(given, str) else shlex.join(given)
