"""Once: what an idempotency key stands for is started by the first request that brings it, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.model.error import KeyReused, RunNotFound
from rota.model.run import EndReason, RunId, Status
from rota.storage.conflict import KeyTaken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rota.model.run import Run
    from rota.operations.rota import Rota
    from rota.storage.requests import Request

#: How admission turns a trigger away, by the status that the store keeps of the first answer. A run that
#: ended as `skipped` later (a newer one took its place) was not turned away: its trigger had been accepted.
TURNED_AWAY = {409: EndReason.SKIPPED, 429: EndReason.QUEUE_FULL}


@dataclass(frozen=True, kw_only=True, slots=True)
class Triggered:
    """What came of it."""

    run: Run
    turned_away: EndReason | None = None  #: why admission let it go by; the run records it
    repeated: bool = False  #: the key had been seen: nothing was started by this request


async def once(rota: Rota, request: Request | None, start: Callable[[], Awaitable[Run]]) -> Triggered:
    """Start it, or give the run that an earlier request of the same key started.

    Raises KeyReused, StoreUnavailable, and whatever the start does.
    """
    if request is not None and (earlier := await rota.store.request(request.key)):
        return await _repeated(rota, earlier, request)
    try:
        run = await start()
    except KeyTaken as taken:
        # Two requests of one key were under way together: the store let one of them in.
        if request is None:
            raise
        return await _repeated(rota, taken.request, request)
    return Triggered(run=run, turned_away=_turned_away(run))


async def kept(rota: Rota, secrets: Mapping[str, str]) -> dict[str, str]:
    """What a request's meaning holds of the secrets in it, so that they cannot be guessed from its hash.

    Raises StoreUnavailable.
    """
    return await rota.engine.triggering.digests(secrets)


async def _repeated(rota: Rota, earlier: Request, request: Request) -> Triggered:
    if (earlier.method, earlier.path, earlier.body_hash) != (request.method, request.path, request.body_hash):
        raise KeyReused(request.key)
    run = await rota.store.run(RunId(earlier.run_id))
    if run is None:
        raise RunNotFound(earlier.run_id)
    turned_away = TURNED_AWAY.get(earlier.status_code)
    return Triggered(run=await rota.engine.runs.last_attempt(run), turned_away=turned_away, repeated=True)


def _turned_away(run: Run) -> EndReason | None:
    if run.status is Status.ENDED and run.end_reason in TURNED_AWAY.values():
        return run.end_reason
    return None
