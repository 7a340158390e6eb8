"""Stop: end a run politely, then firmly; a pending one is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run, RunId
    from rota.operations.rota import Rota


async def stop(rota: Rota, run_id: RunId, *, by: str) -> Run:
    """The run as it stands once the stop is under way. Raises RunNotFound, RunEnded, StoreUnavailable."""
    return await rota.engine.stop_run(run_id, by=by)
