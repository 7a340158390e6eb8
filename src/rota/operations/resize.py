"""Resize: set the size of a run's terminal; its programs hear of it by SIGWINCH."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import RunId
    from rota.operations.rota import Rota


async def resize(rota: Rota, run_id: RunId, *, rows: int, cols: int) -> None:
    """Raises RunNotFound, RunEnded, RunNotStarted, NoTerminal, InputClosed, KeeperUnavailable."""
    await rota.engine.feeding.resize(run_id, rows, cols)
