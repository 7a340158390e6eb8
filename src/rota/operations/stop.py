"""Stop: end a run politely, then firmly; a pending one is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def stop(rota: Rota, run_id: str, *, by: str) -> Run:
    """The run as it stands once the stop is under way. Raises RunNotFound, RunUnclear, RunEnded,
    StoreUnavailable.
    """
    return rota.engine.runs.shown(await rota.engine.runs.stop(await which_run(rota, run_id), by=by))
