"""A run's log, line by line as it is written, from any line on to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.events.subscription import Gap
from rota.model.event import EventKind
from rota.model.run import Status
from rota.operations.get_run import get_run

if TYPE_CHECKING:
    from rota.events.subscription import Subscription
    from rota.logs.follower import Follower, Following
    from rota.model.run import Run, RunId
    from rota.operations.rota import Rota


async def follow_log(rota: Rota, run_id: str, wanted: Following) -> Follower[Run]:
    """A follower, whose log is over with the ended run, or with None when the server stops. To be closed.

    Raises RunNotFound and RunUnclear.
    """
    run = await get_run(rota, run_id)
    return rota.live_logs.follow(rota.data, run.id, wanted, lambda: end_of(rota, run.id))


async def end_of(rota: Rota, run_id: RunId) -> Run | None:
    with rota.bus.subscribe(kinds={EventKind.RUN_ENDED}, run_id=run_id) as ends:
        run = await rota.store.run(run_id)  # after the subscription: no end can come in between
        while run is not None and run.status is not Status.ENDED:
            if not await _told(ends):
                return None
            run = await rota.store.run(run_id)
        return run


async def _told(ends: Subscription) -> bool:
    """Whether something was told; False when the server stops."""
    async for event in ends:
        if isinstance(event, Gap) or event.run is not None:
            return True
    return False
