"""Deletion: runs that somebody does not want any more, and wants back after all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.engine.retention import claims_a_tick
from rota.model.error import RunNotDeleted, RunNotEnded, RunNotFound, TickKept
from rota.model.event import EventKind
from rota.model.run import Status
from rota.storage.page import fits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from datetime import datetime, timedelta

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.events.bus import Bus
    from rota.model.error import RotaError
    from rota.model.run import Run, RunId
    from rota.storage.page import RunFilter
    from rota.storage.store import Store

    #: What came of each: the run as it stands now, or why nothing was done.
    Outcomes = dict[RunId, Run | RotaError]

_LOOK = 500  # deleted runs that are looked at in one read


class Deletion:
    """Sets runs aside, and puts them back; the sweeper lets go of them for good."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        clock: Clock,
        background: Background,
        keep: Callable[[], timedelta],
        settle: Callable[[], Awaitable[datetime | None]],
    ) -> None:
        """`keep` says how long a deleted run can be restored; `settle` writes down up to when all ticks are
        dealt with, as far as that can be, and says it.
        """
        self._store = store
        self._bus = bus
        self._clock = clock
        self._background = background
        self._keep = keep
        self._settle = settle

    async def refusals(self, runs: Iterable[Run]) -> dict[RunId, RotaError]:
        """Why some of these runs cannot be deleted. Raises StoreUnavailable."""
        refused: dict[RunId, RotaError] = {}
        claims = []
        for run in runs:
            if run.status is not Status.ENDED:
                refused[run.id] = RunNotEnded(run.id, run.status)
            elif claims_a_tick(run):
                claims.append(run)
        if claims:
            horizon = await self._store.horizon()
            if not all(_is_settled(run, horizon) for run in claims):
                horizon = await self._settle()
            for run in claims:
                if not _is_settled(run, horizon):
                    refused[run.id] = TickKept(
                        f"run {run.id} is all that says of its tick that it is taken; try again in a minute"
                    )
        return refused

    async def delete(self, run_ids: Sequence[RunId]) -> Outcomes:
        """Delete those that have ended, to the end even if the caller goes away.

        Raises StoreUnavailable, having changed nothing.
        """
        return await self._background.finish(self._delete(run_ids))

    async def restore(self, run_ids: Sequence[RunId]) -> Outcomes:
        """Put deleted runs back, likewise."""
        return await self._background.finish(self._restore(run_ids))

    async def restorable(self, run_ids: Sequence[RunId]) -> list[Run]:
        """Those of these runs that are deleted, and not for good."""
        return self._shown(await self._store.these_deleted(run_ids))

    async def deleted(self, wanted: RunFilter, before: str | None = None) -> AsyncIterator[Run]:
        """The deleted runs that the filter lets through, newest first, older than the id `before`."""
        while True:
            page = await self._store.deleted_runs(before, _LOOK)
            for run in self._shown(page):
                if fits(run, wanted):
                    yield run
            if len(page) < _LOOK:
                return
            before = page[-1][0].id

    async def _delete(self, run_ids: Sequence[RunId]) -> Outcomes:
        found = {run.id: run for run in await self._store.these_runs(run_ids)}
        refused = await self.refusals(found.values())
        at = self._clock.now()
        done = await self._store.set_aside([run_id for run_id in found if run_id not in refused], at)
        outcomes: Outcomes = {run_id: refused.get(run_id) or RunNotFound(run_id) for run_id in run_ids}
        for run_id in done:
            deleted = replace(found[run_id], deleted_at=at)
            self._bus.emit(EventKind.RUN_DELETED, at, deleted)
            outcomes[run_id] = deleted
        return outcomes

    async def _restore(self, run_ids: Sequence[RunId]) -> Outcomes:
        found = {run.id: run for run in await self.restorable(run_ids)}
        done = await self._store.restore(list(found))
        outcomes: Outcomes = {run_id: RunNotDeleted(run_id) for run_id in run_ids}
        for run_id, was_free in done.items():
            if was_free:
                restored = replace(found[run_id], deleted_at=None)
                self._bus.emit(EventKind.RUN_RESTORED, self._clock.now(), restored)
                outcomes[run_id] = restored
            else:
                outcomes[run_id] = TickKept(f"another run has the tick of run {run_id} meanwhile")
        return outcomes

    def _shown(self, found: Iterable[tuple[Run, datetime]]) -> list[Run]:
        until = self._clock.now() - self._keep()
        return [replace(run, deleted_at=at) for run, at in found if at > until]


def _is_settled(run: Run, horizon: datetime | None) -> bool:
    return run.scheduled_at is not None and horizon is not None and run.scheduled_at <= horizon
