"""Wait for a run's start, unless something keeps it from that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rota.events.subscription import Gap
from rota.model.event import EventKind
from rota.model.run import Status

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota


async def wait_for_start(rota: Rota, run: Run, timeout: float) -> Run:  # noqa: ASYNC109  the run goes on after it
    """The run once its process lives or it is over; or as it stands, when it waits for a slot or a time."""
    kinds = {EventKind.RUN_STARTED, EventKind.RUN_ENDED}
    with rota.bus.subscribe(kinds=kinds, run_id=run.id) as moves:
        now = await rota.store.run(run.id)  # after the subscription: no move can come in between
        run = run if now is None else rota.engine.runs.shown(now)
        if run.status is not Status.PENDING or run.waiting_for is not None:
            return run
        try:
            async with asyncio.timeout(timeout):
                async for move in moves:
                    if not isinstance(move, Gap) and move.run is not None:
                        return move.run
        except TimeoutError:
            pass
    now = await rota.store.run(run.id)
    return run if now is None else rota.engine.runs.shown(now)
