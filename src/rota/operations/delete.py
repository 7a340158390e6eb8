"""Delete: a run that has ended goes, and can be restored for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RotaError
from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def delete(rota: Rota, run_id: str) -> Run:
    """The run as it was. Raises RunNotFound, RunUnclear, RunNotEnded, TickKept and StoreUnavailable."""
    found = await which_run(rota, run_id)
    outcome = (await rota.engine.deletion.delete([found]))[found]
    if isinstance(outcome, RotaError):
        raise outcome
    return outcome
