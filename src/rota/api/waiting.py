"""Waiting: the answer that comes when a run has ended, and is not waited for when its client has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.api.call import while_connected
from rota.model.run import Status
from rota.operations.wait import wait

if TYPE_CHECKING:
    from rota.api.call import Call
    from rota.model.run import Run

#: Seconds in which nobody looks whether the client has gone: the look costs more than such a wait for nobody.
UNWATCHED = 1.0


async def ended(call: Call, run: Run, timeout: float) -> Run:  # noqa: ASYNC109  the run goes on after it
    """The run once it has ended, or as it stands when `timeout` seconds or the server's time are over."""
    run = await wait(call.rota, run.id, min(UNWATCHED, timeout))
    if run.status is not Status.ENDED and timeout > UNWATCHED:
        run = await while_connected(call.receive, wait(call.rota, run.id, timeout - UNWATCHED))
    return run
