"""Waiting for a run while its client is told what it writes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.follower import Following
from rota.logs.line import Ansi
from rota.logs.news import News, Over
from rota.operations.follow_log import follow_log
from rota.operations.wait import wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rota.mcp.call import Call
    from rota.model.run import Run, RunId

#: Seconds that a call may take before it becomes a task of the protocol, for a client that knows those.
PATIENCE_BEFORE_TASK = 2.0

#: Seconds between two tellings.
_PAUSE = 1.0

#: Characters of a line that is told.
_LONGEST = 200


async def wait_with_progress(call: Call, run: Run, seconds: float) -> Run:
    """The run once it has ended, or as it stands after so many seconds."""
    async with progress(call, run.id):
        return await wait(call.rota, run.id, seconds)


@contextlib.asynccontextmanager
async def progress(call: Call, run_id: RunId) -> AsyncIterator[None]:
    """Tell the client the run's newest line, once a second at most, if it wants to know."""
    if not call.wants_progress:
        yield
        return
    telling = asyncio.create_task(_tell(call, run_id), name=f"progress of {run_id}")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(call: Call, run_id: RunId) -> None:
    """Of each attempt in its turn."""
    attempt: RunId | None = run_id
    while attempt is not None:
        await _tell_of(call, attempt)
        run = await call.rota.store.run(attempt)
        attempt = None if run is None else run.next_attempt_run_id


async def _tell_of(call: Call, run_id: RunId) -> None:
    following = Following(tail=1, streams=EVERY[:2], ansi=Ansi.STRIP)
    follower = await follow_log(call.rota, run_id, following)
    try:
        while not isinstance(news := await follower.next(), Over):
            if isinstance(news, News) and (line := _last(news)):
                await call.report(line[:_LONGEST])
                await asyncio.sleep(_PAUSE)
    finally:
        follower.close()


def _last(news: News) -> str | None:
    lines = [each for each in news.lines.get(Ansi.STRIP, ()) if each.stream in EVERY[:2]]
    return lines[-1].text if lines else None
