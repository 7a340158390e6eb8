"""Shut down: end every run, the keeper and the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.model.run import Status

if TYPE_CHECKING:
    from rota.operations.rota import Rota


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """What is being ended."""

    pid: int
    running: int
    pending: int


def shutdown(rota: Rota) -> Leaving:
    """Ask for the end of everything; it follows at once, and the server's process leaves last."""
    leaving = Leaving(
        pid=rota.pid,
        running=rota.engine.runs.count(Status.RUNNING),
        pending=rota.engine.runs.count(Status.PENDING),
    )
    rota.shutdown_asked.set()
    return leaving
