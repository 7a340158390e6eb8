"""Resize: set the size of a run's terminal; its programs hear of it by SIGWINCH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.model.run import RunId
    from rota.operations.rota import Rota


async def resize(rota: Rota, run_id: str, *, rows: int, cols: int) -> RunId:
    """The run whose terminal it is.

    Raises RunNotFound, RunUnclear, RunEnded, RunNotStarted, NoTerminal, InputClosed, KeeperUnavailable.
    """
    found = await which_run(rota, run_id)
    await rota.engine.feeding.resize(found, rows, cols)
    return found
