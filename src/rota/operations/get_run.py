"""One run, as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RunNotFound

if TYPE_CHECKING:
    from rota.model.run import Run, RunId
    from rota.operations.rota import Rota


async def get_run(rota: Rota, run_id: RunId) -> Run:
    """The run. Raises RunNotFound."""
    run = await rota.store.run(run_id)
    if run is None:
        raise RunNotFound(run_id)
    return run
