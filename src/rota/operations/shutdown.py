"""Shut down: end every run, the keeper and the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        running=sum(len(rota.engine.running(name)) for name in rota.engine.tasks),
        pending=sum(len(rota.engine.pending(name)) for name in rota.engine.tasks),
    )
    rota.shutdown_asked.set()
    return leaving
