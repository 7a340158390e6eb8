"""The store: every run, request and task that Rota remembers, behind one writer and a few readers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from rota.model.error import StoreUnavailable
from rota.storage import (
    deleted,
    meta,
    pauses,
    requests,
    retention,
    runs,
    services,
    tasks,
    transactions,
    waits,
)
from rota.storage.drift import Drift
from rota.storage.microseconds import of_time, to_time
from rota.storage.opening import open_database
from rota.storage.page import Page, RunFilter, count, page, read_cursor
from rota.storage.readers import Readers
from rota.storage.row import of_run
from rota.storage.sequel import NOTHING
from rota.storage.writer import Writer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from rota.model.definition import Revision
    from rota.model.pause import Pause
    from rota.model.run import Run, RunId
    from rota.model.service import Remembered, Wanted
    from rota.storage.conflict import KeyTaken, TickTaken
    from rota.storage.grown import Grown
    from rota.storage.requests import Request
    from rota.storage.retention import Old
    from rota.storage.sequel import Moved, Sequel
    from rota.storage.services import Kept
    from rota.storage.tasks import TaskRecord
    from rota.storage.waits import StoredWait, WaitStatus

FILE = "rota.db"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One database, used from one event loop.

    Writes are committed when they return, in the order in which they were asked for. A write raises
    StoreUnavailable when the database cannot be written, and has changed nothing then. A `synced` write
    is on the disk when it returns; what a power cut can do to the others is told in `writer.py`.
    """

    def __init__(
        self, *, store_id: str, writer: Writer, readers: Readers, drift: Drift, now: Callable[[], datetime]
    ) -> None:
        self.store_id = store_id  #: made with the database
        self._writer = writer
        self._readers = readers
        self._drift = drift
        self._now = now

    @classmethod
    def open(cls, data: Path, *, now: Callable[[], datetime] = _utc_now) -> Store:
        """Open a data folder's database, making it or bringing it up to date; Unusable when that fails."""
        path = data / FILE
        engine, store_id, widest = open_database(path)
        writer = Writer(engine)
        writer.start()
        return cls(store_id=store_id, writer=writer, readers=Readers(path), drift=Drift(widest), now=now)

    async def close(self) -> None:
        """Finish every read and write that was asked for; closing twice is fine."""
        await self._readers.close()
        await self._writer.close()

    @property
    def writable(self) -> bool:
        """False after a write that failed, until one succeeds again."""
        return self._writer.writable

    def create(
        self, run: Run, *, request: Request | None = None, synced: bool = False
    ) -> asyncio.Future[KeyTaken | TickTaken | None]:
        """Write a new run down, with the request that asked for it.

        TickTaken or KeyTaken: there is a run for that tick or key, and nothing was changed.
        """
        widest = self._drift.take_in((run,))
        written = self._writer.submit(
            partial(transactions.create, run=run, values=of_run(run), request=request, widest=widest),
            synced=synced,
        )
        if widest is not None:
            written.add_done_callback(partial(self._saved, widest))
        return written

    def _saved(self, widest: timedelta, written: asyncio.Future[Any]) -> None:
        if not written.cancelled() and written.exception() is None:
            self._drift.saved(widest)

    async def create_many(
        self,
        ticks: Sequence[Run],
        *,
        grown: Sequence[Grown] = (),
        synced: bool = False,
        keeper_id: str | None = None,
    ) -> list[Run]:
        """Write down the runs whose tick, or gap, is free, in one transaction, and return them.

        Among them are, of those that have `grown`, what was written: the run, or the one that tells anew.

        With `keeper_id` they are those of a keeper's start: none is written if there were such already.
        """
        written = [*ticks, *(each.run for each in grown), *(each.anew for each in grown)]
        widest = self._drift.take_in(written)
        rows = [(of_run(run), run.missed_ticks is not None) for run in ticks]
        more = [(of_run(each.run), of_run(each.anew)) for each in grown]
        free = await self._writer.submit(
            partial(transactions.create_many, rows=rows, more=more, widest=widest, keeper_id=keeper_id),
            synced=synced,
        )
        self._drift.saved(widest)
        return [run for run, was_free in zip(written, free, strict=True) if was_free]

    def move(
        self,
        before: Run,
        after: Run,
        *,
        sequel: Sequel = NOTHING,
        log_size: int = 0,
        synced: bool = False,
    ) -> asyncio.Future[Moved | None]:
        """Make `after` of `before`, if the run is still as `before` says in status, attempt and node.

        With it, all of it or nothing, `sequel` is written down, which follows from an end. `log_size` is what
        a run that ends has left on the disk. None: somebody else has moved it, and nothing was changed.
        """
        widest = self._drift.take_in(sequel.runs) if sequel.runs else None
        moved = self._writer.submit(
            partial(
                transactions.move, before=before, after=after, log_size=log_size, sequel=sequel, widest=widest
            ),
            synced=synced,
        )
        if widest is not None:
            moved.add_done_callback(partial(self._saved, widest))
        return moved

    async def register_tasks(
        self, fingerprints: Mapping[str, str], definitions: Mapping[str, str], now: datetime
    ) -> dict[str, TaskRecord]:
        """Remember tasks with their schedules' fingerprints, of which a changed one counts since now, and
        with their definitions, of which a changed one is a new revision.
        """
        return await self._writer.submit(
            partial(tasks.register, fingerprints=dict(fingerprints), definitions=dict(definitions), now=now)
        )

    async def revision(self, name: str, number: int) -> Revision | None:
        """One of the definitions that a task has had."""
        return await self._readers.ask(partial(tasks.revision, name=name, number=number))

    async def revisions(self, name: str) -> list[Revision]:
        """The definitions that a task has had, the newest first."""
        return await self._readers.ask(partial(tasks.revisions, name=name))

    async def some_revisions(self, wanted: Collection[tuple[str, int]]) -> list[Revision]:
        """Those of these, by name and number, that are there."""
        return await self._readers.ask(partial(tasks.some_revisions, wanted=wanted))

    async def task_ids(self) -> dict[str, int]:
        """The number of every task that ever was, by its name."""
        return await self._readers.ask(tasks.ids)

    async def save_horizon(self, at: datetime) -> None:
        """Remember up to when every tick has been dealt with."""
        await self._writer.submit(partial(meta.put, key=meta.HORIZON, value=str(of_time(at))))

    async def horizon(self) -> datetime | None:
        """Up to when every tick has been dealt with; None in a new store."""
        value = await self._readers.ask(partial(meta.get, key=meta.HORIZON))
        return None if value is None else to_time(int(value))

    async def keeper_begun(self) -> str | None:
        """The keeper for whose start the runs were last written that go with one."""
        return await self._readers.ask(partial(meta.get, key=meta.KEEPER))

    async def reserve_event_ids(self, count: int) -> int:
        """The first of `count` ids that no one had before, nor will after a power cut."""
        return await self._writer.submit(partial(meta.reserve_event_ids, count=count), synced=True)

    async def run(self, run_id: RunId) -> Run | None:
        """The run of this id."""
        return await self._readers.ask(partial(runs.one, run_id=run_id))

    async def these_runs(self, run_ids: Sequence[RunId]) -> list[Run]:
        """Those of these runs that there are, in any order."""
        return await self._readers.ask(partial(runs.these, run_ids=run_ids))

    async def runs(self, filter: RunFilter, *, limit: int, cursor: str | None = None) -> Page:  # noqa: A002 - the word for it
        """A page of a list, newest first by id; ValueError for a cursor that is not of this list."""
        if limit < 1:
            raise ValueError("a page holds one run at least")
        after = None if cursor is None else read_cursor(filter, cursor)
        return await self._readers.ask(
            partial(page, wanted=filter, limit=limit, after=after, drift=self._drift)
        )

    async def ending_with(self, ending: str, *, within: int, limit: int) -> list[Run]:
        """Of the newest `within` runs those whose ids end so, newest first."""
        return await self._readers.ask(partial(runs.ending_with, ending=ending, within=within, limit=limit))

    async def count_runs(self, filter: RunFilter, *, most: int) -> int:  # noqa: A002 - the word for it
        """How many runs a list has, counted no further than `most`."""
        return await self._readers.ask(partial(count, wanted=filter, most=most, drift=self._drift))

    async def open_runs(self) -> list[Run]:
        """Every run that has not ended, oldest first."""
        return await self._readers.ask(runs.still_open)

    async def last_runs(self, task_name: str, limit: int) -> list[Run]:
        """A task's newest runs, newest first."""
        return await self._readers.ask(partial(runs.last_of, task_name=task_name, limit=limit))

    async def last_ticks(self, task_name: str, limit: int) -> list[Run]:
        """The runs of a task's newest ticks and gaps, the newest tick first."""
        return await self._readers.ask(partial(runs.last_ticks, task_name=task_name, limit=limit))

    async def living_at(self, moment: datetime) -> list[Run]:
        """The runs of tasks that lived then, as far back as `runs.LOOKED_AT` runs tell."""
        return await self._readers.ask(partial(runs.living_at, moment=moment, drift=self._drift))

    async def latest_runs(self) -> dict[str, Run]:
        """The newest run of each task that ever had one."""
        return await self._readers.ask(runs.latest)

    async def request(self, key: str) -> Request | None:
        """What was asked under this key within the last day."""
        return await self._readers.ask(partial(requests.find, key=key, now=self._now()))

    async def put_pause(self, pause: Pause) -> None:
        """Remember a pause, as it is now, in the place of the one before of its scope."""
        await self._writer.submit(partial(pauses.put, pause=pause), synced=True)

    async def pauses(self) -> list[Pause]:
        """Of each scope the newest pause, be it over or not."""
        return await self._readers.ask(pauses.every)

    async def told_until(self) -> dict[str, datetime]:
        """Of each task the newest tick that has its run, or of which one tells."""
        return await self._readers.ask(runs.told_until)

    async def add_wait(self, wait: StoredWait) -> None:
        """Keep a wait, for a day at most."""
        await self._writer.submit(partial(waits.add, wait=wait))

    async def close_wait(self, wait_id: str, status: WaitStatus, outcome: str | None = None) -> bool:
        """Whether it was open, and now is not."""
        return await self._writer.submit(
            partial(waits.close, wait_id=wait_id, status=status, outcome=outcome, at=self._now())
        )

    async def wait(self, wait_id: str) -> StoredWait | None:
        """The wait of this id."""
        return await self._readers.ask(partial(waits.one, wait_id=wait_id))

    async def old(self, task_name: str | None, limit: int) -> Old:
        """How many runs of a task have ended, or how many jobs (None), and the oldest `limit` of them."""
        return await self._readers.ask(partial(retention.old, task_name=task_name, limit=limit))

    async def delete(self, run_ids: Sequence[RunId]) -> tuple[list[RunId], int]:
        """Delete those that have ended, and list their files for removal; those, and their logs' bytes."""
        return await self._writer.submit(partial(retention.delete_runs, run_ids=run_ids), synced=True)

    async def set_aside(self, run_ids: Sequence[RunId], at: datetime) -> list[RunId]:
        """Delete those that have ended, so that they can be restored; those."""
        return await self._writer.submit(partial(deleted.set_aside, run_ids=run_ids, at=at))

    async def restore(self, run_ids: Sequence[RunId]) -> dict[RunId, bool]:
        """Put those back that were deleted; False for one whose tick another run has meanwhile."""
        return await self._writer.submit(partial(deleted.restore, run_ids=run_ids))

    async def deleted_runs(self, before: str | None, limit: int) -> list[tuple[Run, datetime]]:
        """Deleted runs, newest first by id from `before` on, and when they were deleted."""
        return await self._readers.ask(partial(deleted.newest, before=before, limit=limit))

    async def these_deleted(self, run_ids: Sequence[RunId]) -> list[tuple[Run, datetime]]:
        """Those of these runs that are deleted and can be restored, in any order."""
        return await self._readers.ask(partial(deleted.these, run_ids=run_ids))

    async def overdue(self, until: datetime, limit: int) -> list[RunId]:
        """Runs that were deleted by then, and are still there."""
        return await self._readers.ask(partial(deleted.overdue, until=until, limit=limit))

    async def purge(self, run_ids: Sequence[RunId]) -> int:
        """Let go of deleted runs for good, and list their files for removal; their logs' bytes."""
        return await self._writer.submit(partial(deleted.purge, run_ids=run_ids), synced=True)

    async def log_total(self, *, but: Sequence[RunId] = ()) -> int:
        """The bytes of the logs of all ended runs other than these."""
        return await self._readers.ask(partial(retention.total, but=but))

    async def oldest_logs(self, first: str, limit: int) -> list[tuple[RunId, int]]:
        """Logs of ended runs, with their sizes, the oldest run first, from the id `first` on."""
        return await self._readers.ask(partial(retention.oldest_logs, first=first, limit=limit))

    async def give_up_logs(self, run_ids: Sequence[RunId], at: datetime) -> None:
        """Note that these logs are gone from now on, and list their files for removal."""
        await self._writer.submit(partial(retention.give_up_logs, run_ids=run_ids, at=at), synced=True)

    async def log_removed_at(self, run_id: RunId) -> datetime | None:
        """When the log of a run had to make room; None for one that did not have to."""
        return await self._readers.ask(partial(retention.removed_at, run_id=run_id))

    async def removals(self, limit: int) -> list[RunId]:
        """Runs whose files are to be removed."""
        return await self._readers.ask(partial(retention.listed, limit=limit))

    async def removed(self, run_ids: Sequence[RunId]) -> None:
        """The files of these runs are gone."""
        await self._writer.submit(partial(retention.strike, run_ids=run_ids))

    async def services(self) -> Kept:
        """What is remembered of services, and the newest life of each instance that ever had one."""
        return await self._readers.ask(services.everything)

    async def save_services(
        self, wanted: Mapping[str, Wanted], *, forget: Collection[str] = (), asked_for: Collection[str] = ()
    ) -> None:
        """Remember what is wanted of these services.

        `forget` names those that there are no more, `asked_for` those whose instances are tried anew.
        """
        save = partial(services.save, wanted=dict(wanted), forget=list(forget), asked_for=list(asked_for))
        await self._writer.submit(save, synced=True)

    def save_instances(self, service: str, instances: Sequence[Remembered]) -> asyncio.Future[None]:
        """Remember how these instances of a service have fared."""
        return self._writer.submit(
            partial(services.save_instances, service=service, instances=list(instances))
        )

    async def begin_services_anew(self, boot_id: str) -> None:
        """Forget what was wanted of all services: it was wanted before this boot, or a shutdown."""
        await self._writer.submit(partial(services.begin_anew, boot_id=boot_id), synced=True)

    async def heal(self) -> bool:
        """Try a write, down to the disk; True when it succeeds."""
        try:
            await self._writer.submit(
                partial(meta.put, key=meta.PROBE, value=str(of_time(self._now()))), synced=True
            )
        except StoreUnavailable:
            return False
        return True
