"""Restore: a run that was deleted is there again, with its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RotaError
from rota.model.run import RunId

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def restore(rota: Rota, run_id: str) -> Run:
    """The run. It is named by its whole id. Raises RunNotDeleted, TickKept and StoreUnavailable."""
    found = RunId(run_id.lower())
    outcome = (await rota.engine.deletion.restore([found]))[found]
    if isinstance(outcome, RotaError):
        raise outcome
    return outcome
