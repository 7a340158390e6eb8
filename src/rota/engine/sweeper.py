"""The sweeper: has runs and logs go when they were kept long enough, or take too much of the disk.

Rows go first: a crash leaves files that are listed for removal, and no row of which the log is missing
unsaid. What was listed is removed at the next start, before anything else.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from rota.engine.retention import expired, look_at_deleted, pause, surplus
from rota.logs import disk
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.job import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from rota.engine.clock import Clock
    from rota.events.bus import Bus
    from rota.model.run import Run, RunId
    from rota.model.task import Task
    from rota.storage.store import Store

log = structlog.get_logger()

PAUSE = 1.0  #: seconds between two turns
BATCH = 200  #: runs or logs that go in one transaction
TASKS = 100  #: tasks that are looked at in one turn
COUNT_AGAIN = 60.0  #: seconds for which the sum of all logs is trusted; it is kept up meanwhile
_NONE = "~"  # greater than any id


class Sweeper:
    """A loop that looks where something may have to go: decisions are `retention`'s."""

    def __init__(
        self,
        *,
        rules: Mapping[str, Task],
        store: Store,
        bus: Bus,
        clock: Clock,
        data: Path,
        running: Callable[[], Iterable[RunId]],
        retried: Callable[[], Collection[RunId]] = frozenset,
    ) -> None:
        """`rules` are those of each task, and of all jobs; `running` tells whose logs are being written,
        `retried` of which runs, by their first attempts, one is open.
        """
        self._rules = rules
        self._store = store
        self._bus = bus
        self._clock = clock
        self._data = data
        self._max_size = 0
        self._running = running
        self._keep_deleted = timedelta()
        self._retried = retried
        self._pauses: dict[str, float] = {}
        self._look_at: dict[str, float] = {}  # when, by the monotonic clock
        self._purge_at = 0.0  # when deleted runs are looked at, by the monotonic clock
        self._total = 0
        self._counted_at: float | None = None
        self._first = ""  # no log that is there is older than this run's
        self._listed = True  # there may be files to remove of which nobody else thinks

    def take(self, *, max_size: int, keep_deleted: timedelta = timedelta()) -> None:
        """The rules are others from now on: look at everything anew.

        `max_size` is for all logs, 0 for any size; deleted runs go for good after `keep_deleted`.
        """
        self._max_size = max_size
        self._keep_deleted = keep_deleted
        self._purge_at = 0.0
        self._pauses = {
            name: wait.total_seconds()
            for name, task in self._rules.items()
            if (wait := pause(task)) is not None
        }
        self._look_at = dict.fromkeys(self._pauses, 0.0)

    def ended(self, run: Run, log_size: int) -> None:
        """A run is over, and its end is stored."""
        self._total += log_size
        if log_size:
            self._first = min(self._first, run.id)
        task = self._rules.get(run.defined_by)
        if task is not None and task.keep_runs is not None:
            self._look_at[task.name] = 0.0

    async def run(self) -> None:
        """Go on until cancelled. A fault in one turn is logged, and does not end the sweeping."""
        while True:
            try:
                if self._listed:
                    await self._remove_listed()
                await self.turn()
            except StoreUnavailable:
                pass  # the watch over the store tells of it; what is kept longer harms nobody
            except Exception:
                log.exception("a turn of the sweeper failed")
            await self._clock.sleep(PAUSE)

    async def turn(self) -> None:
        """Look at what is due, and have go what has to."""
        now = self._clock.monotonic()
        due = [name for name, at in self._look_at.items() if at <= now][:TASKS]
        for name in due:
            if name in self._look_at:  # else its rules have gone meanwhile
                await self._sweep(self._rules[name])
        if self._purge_at <= now:
            await self._purge()
            self._purge_at = now + look_at_deleted(self._keep_deleted).total_seconds()
        if self._max_size:
            await self._shrink()

    async def _sweep(self, task: Task) -> None:
        del self._look_at[task.name]  # an end that comes meanwhile has it looked at again
        try:
            horizon = await self._store.horizon()
            full = True
            while full:
                old = await self._store.old(None if task.name == JOBS else task.name, BATCH)
                going = expired(
                    task,
                    old.oldest,
                    ended=old.ended,
                    now=self._clock.now(),
                    horizon=horizon,
                    retried=self._retried(),
                )
                full = len(going) == BATCH
                if going:
                    await self._delete(going)
        finally:
            if (wait := self._pauses.get(task.name)) is not None:
                self._look_at.setdefault(task.name, self._clock.monotonic() + wait)

    async def _delete(self, runs: list[Run]) -> None:
        deleted, freed = await self._store.delete([run.id for run in runs])
        self._total -= freed
        for run in runs:
            if run.id in deleted:
                self._bus.emit(EventKind.RUN_DELETED, self._clock.now(), run)
        await self._remove(deleted)

    async def _purge(self) -> None:
        """Let go for good of runs that were deleted long enough ago."""
        until = self._clock.now() - self._keep_deleted
        while going := await self._store.overdue(until, BATCH):
            self._total -= await self._store.purge(going)
            await self._remove(going)

    async def _shrink(self) -> None:
        running = list(self._running())
        live = await asyncio.to_thread(self._size_of, running) if running else 0
        now = self._clock.monotonic()
        if self._counted_at is None or now - self._counted_at > COUNT_AGAIN:
            self._total, self._counted_at = await self._store.log_total(), now
        if self._total + live <= self._max_size:
            return
        # A run that has ended since it was measured may be in both sums, and another log would go for it.
        together = live + await self._store.log_total(but=running)
        while together > self._max_size and (freed := await self._give_up_some(together)):
            together -= freed
            self._counted_at = None

    async def _give_up_some(self, together: int) -> int:
        """Have the oldest logs go, a batch at most; the bytes that they had. Those being written stay."""
        first, self._first = self._first, _NONE  # the ends that come meanwhile are noted there
        try:
            oldest = await self._store.oldest_logs(first, BATCH)
            going = surplus(oldest, total=together, max_size=self._max_size)
            if not going:
                return 0
            await self._store.give_up_logs(going, self._clock.now())
            first = going[-1]
        finally:
            self._first = min(self._first, first)
        log.info("logs had to make room", logs=len(going), oldest=going[0], newest=going[-1])
        await self._remove(going)
        sizes = dict(oldest)
        return sum(sizes[run_id] for run_id in going)

    def _size_of(self, run_ids: list[RunId]) -> int:
        return sum(disk.size_of_log(self._data, run_id) for run_id in run_ids)

    async def _remove_listed(self) -> None:
        """Remove what was listed, and not removed because the server was killed, or the disk refused."""
        self._listed = False
        while (listed := await self._store.removals(BATCH)) and not self._listed:
            await self._remove(listed)

    async def _remove(self, run_ids: list[RunId]) -> None:
        try:
            await asyncio.to_thread(disk.remove, self._data, run_ids)
            await self._store.removed(run_ids)
        except OSError as error:
            log.warning("files that are to be removed could not be", reason=str(error))
            self._listed = True
