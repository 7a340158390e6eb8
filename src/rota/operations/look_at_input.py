"""Look at input: whether a run takes any, what it has not read yet, and whether it waits for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.model.input import InputState
    from rota.operations.rota import Rota


async def look_at_input(rota: Rota, run_id: str) -> InputState:
    """Raises RunNotFound, RunUnclear, RunEnded, RunNotStarted, KeeperUnavailable."""
    return await rota.engine.feeding.look(await which_run(rota, run_id))
