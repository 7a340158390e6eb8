"""How a run's input stands: whether it takes any, and whether a process of it waits for some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import KeeperUnavailable, RunEnded, RunNotStarted
from rota.model.run import Status

if TYPE_CHECKING:
    from rota.model.input import InputState
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def input_state(rota: Rota, run: Run) -> InputState | None:
    """As it is now; None for a run that has none, since nothing of it lives, or nobody can tell."""
    if run.status is not Status.RUNNING:
        return None
    try:
        return await rota.engine.feeding.look(run.id)
    except (RunEnded, RunNotStarted, KeeperUnavailable):
        return None
