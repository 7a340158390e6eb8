"""One run, as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RunNotFound
from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def get_run(rota: Rota, run_id: str) -> Run:
    """The run of this id, or of the only one that ends so. Raises RunNotFound and RunUnclear."""
    found = await which_run(rota, run_id)
    run = await rota.store.run(found)
    if run is None:
        raise RunNotFound(run_id)
    return rota.engine.runs.shown(run)
