"""What is on file of runs whose keeper is gone, in the model's words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.keeper import journal
from rota.keeper.messages import Ended, read_message
from rota.model.run import RunId

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What was found of a run after its keeper had died, as `name (pid)`."""

    found: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()  #: those of them that could not be ended


def read_endings(data: Path) -> dict[RunId, Ended]:
    """The ends on file; a run whose end no keeper lived to see has none."""
    messages = map(read_message, journal.read(os.fspath(data)).values())
    return {message.run_id: message for message in messages if isinstance(message, Ended)}


def read_left(data: Path) -> dict[RunId, Left]:
    """What was left of runs whose keeper died, if anything was, as the next keeper found it."""
    return {
        RunId(run_id): Left(found=tuple(about["left"]), alive=tuple(about["alive"]))
        for run_id, about in journal.read(os.fspath(data)).items()
        if "left" in about
    }
