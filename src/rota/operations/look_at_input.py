"""Look at input: whether a run takes any, what it has not read yet, and whether it waits for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.input import InputState
    from rota.model.run import RunId
    from rota.operations.rota import Rota


async def look_at_input(rota: Rota, run_id: RunId) -> InputState:
    """Raises RunNotFound, RunEnded, RunNotStarted, KeeperUnavailable."""
    return await rota.engine.feeding.look(run_id)
