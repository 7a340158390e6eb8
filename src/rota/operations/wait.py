"""Wait: hold on until a run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run, RunId
    from rota.operations.rota import Rota


async def wait(rota: Rota, run_id: RunId, timeout: float) -> Run:  # noqa: ASYNC109  the run goes on after it
    """The run's last attempt, once ended; as it stands after `timeout` seconds or when the server stops."""
    return await rota.engine.runs.wait(run_id, timeout)
