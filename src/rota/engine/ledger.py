"""The ledger: what is known of every open run, brought into the store, and told once it is there.

What the keeper says is believed at once (`known`) and written behind (`stored`), one write of a run at a
time. While the store cannot write, the difference waits here, and the keeper keeps the end: it is
acknowledged only after its commit.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import EndReason, Status
from rota.storage.sequel import NOTHING, Moved, Sequel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from rota.engine.aftermath import Aftermath
    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.store_watch import StoreWatch
    from rota.events.bus import Bus
    from rota.model.limit import Limit
    from rota.model.run import Ending, Run, RunId
    from rota.storage.store import Store

log = structlog.get_logger()

PATIENCE = 0.01
"""A start waits so many seconds for its end, so that a short run costs one write instead of two."""


@dataclass(slots=True)
class Entry:
    """An open run."""

    stored: Run  #: as the database has it
    known: Run  #: as it is, as far as we were told
    began: Run | None = None  #: as it was when it started, until that is told
    sequel: Sequel = NOTHING  #: what follows from its end, and is written with it
    log_size: int = 0  #: bytes that it has left on the disk, once it has ended
    writing: bool = False  #: a write of it is in flight; the next one waits for it


class Ledger:
    """The open runs of this server, by id, in the order of their coming."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        clock: Clock,
        background: Background,
        watch: StoreWatch,
        aftermath: Aftermath,
        on_stored: Callable[[Run, int, Sequence[Run]], None],
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._background = background
        self._watch = watch
        self._aftermath = aftermath
        self._on_stored = on_stored
        self._entries: dict[RunId, Entry] = {}
        self._starts: dict[RunId, Entry] = {}  # starts that wait for their ends
        self._unwritten: dict[RunId, Entry] = {}  # what the store refused
        watch.on_heal(self._write_refused)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, run_id: RunId) -> Entry | None:
        """The open run of this id."""
        return self._entries.get(run_id)

    def enter(self, run: Run) -> Entry:
        """A run that is in the store, and open."""
        entry = self._entries[run.id] = Entry(run, run)
        return entry

    def started(
        self, entry: Entry, *, at: datetime, pid: int, limits: Mapping[str, Limit] | None = None
    ) -> None:
        """Its process lives."""
        if entry.known.status is not Status.PENDING:
            return  # told twice: by the list after a hello, too
        entry.known = entry.began = entry.known.started(at=at, pid=pid, limits=limits)
        if not self._starts:
            asyncio.get_running_loop().call_later(PATIENCE, self.write_starts)
        self._starts[entry.known.id] = entry

    def ended(self, entry: Entry, reason: EndReason, ending: Ending) -> None:
        """Nothing of it lives. Written until it is written."""
        if entry.known.status is not Status.ENDED:
            self._starts.pop(entry.known.id, None)
            entry.log_size = ending.log_size or 0
            ended, entry.sequel = self._aftermath.of(entry.known, reason, ending)
            self.change(entry, ended)

    def change(self, entry: Entry, to: Run) -> None:
        """Believe this of the run from now on, and write it until it is written."""
        entry.known = to
        self._write_soon(entry)

    async def cancel(self, entry: Entry, ending: Ending) -> Run | None:
        """End a run that no keeper has, once that is written; None: it had moved, and nothing changed.

        Raises StoreUnavailable, having changed nothing. No other write of the run may be in flight.
        """
        cancelled, entry.sequel = self._aftermath.of(entry.stored, EndReason.STOPPED, ending)
        return cancelled if await self.move(entry, cancelled) else None

    async def move(self, entry: Entry, to: Run, *, synced: bool = False) -> bool:
        """Write one move before believing it; False: the row was not as we had it, and nothing changed.

        Raises StoreUnavailable, having changed nothing. No other write of the run may be in flight.
        """
        entry.writing = True
        try:
            moved = await self._write(entry, to, synced=synced)
        except StoreUnavailable as error:
            if entry.known is not entry.stored:  # more was learned meanwhile
                self._unwritten[entry.known.id] = entry
            self._watch.failed(error)
            raise
        finally:
            entry.writing = False
        if moved is not None:
            if entry.known is entry.stored:
                entry.known = to
            self._is_stored(entry, to, moved.follow)
        else:
            self._is_overtaken(entry, await self._store.run(to.id))
        if entry.known is not entry.stored:
            self._write_soon(entry)
        return moved is not None

    def write_starts(self) -> None:
        """Write the starts that wait for their ends; afterwards they wait no more."""
        starts, self._starts = self._starts, {}
        for entry in starts.values():
            self._write_soon(entry)

    def _write_refused(self) -> None:
        refused, self._unwritten = self._unwritten, {}
        for entry in refused.values():
            self._write_soon(entry)

    def _write_soon(self, entry: Entry) -> None:
        if entry.writing:
            return
        try:
            written = self._write(entry, entry.known)
        except StoreUnavailable as error:
            self._is_refused(entry, error)
            return
        entry.writing = True
        self._background.attend(written, partial(self._written, entry, entry.known))

    def _write(self, entry: Entry, to: Run, *, synced: bool = False) -> asyncio.Future[Moved | None]:
        sequel = entry.sequel if to.status is Status.ENDED else NOTHING
        return self._store.move(entry.stored, to, sequel=sequel, log_size=entry.log_size, synced=synced)

    def _written(self, entry: Entry, to: Run, written: asyncio.Future[Moved | None]) -> None:
        entry.writing = False
        error = written.exception()
        if error is not None:
            self._is_refused(entry, error)
        elif (moved := written.result()) is None:
            entry.writing = True
            self._background.start(self._look_again(entry), f"look again at run {to.id}")
        else:
            self._is_stored(entry, to, moved.follow)
            if entry.known is not entry.stored:  # more was learned meanwhile
                self._write_soon(entry)

    def _is_refused(self, entry: Entry, error: BaseException) -> None:
        self._unwritten[entry.known.id] = entry
        if isinstance(error, StoreUnavailable):
            self._watch.failed(error)
        else:  # a fault of ours: it is tried again with what the store refuses next
            log.error("a run could not be written", run_id=entry.known.id, exc_info=error)

    async def _look_again(self, entry: Entry) -> None:
        try:
            row = await self._store.run(entry.known.id)
        except StoreUnavailable as error:
            self._is_refused(entry, error)
            return
        finally:
            entry.writing = False
        self._is_overtaken(entry, row)
        if entry.known is not entry.stored:
            self._write_soon(entry)

    def _is_overtaken(self, entry: Entry, row: Run | None) -> None:
        """The row is not what was written last: somebody else writes to this database, which nobody may.

        An end on file stands; from anything else the write is tried again.
        """
        log.error("a run was changed behind the server's back", run_id=entry.known.id, row=row)
        if row is None or row.status is Status.ENDED:
            self._close(entry, row or entry.known)
        else:
            if entry.known is entry.stored:
                entry.known = row
            entry.stored = row

    def _is_stored(self, entry: Entry, run: Run, follow: Sequence[Run]) -> None:
        """The commit is done: tell what changed."""
        entry.stored = run
        if entry.began is not None and run.start_at is not None:
            began, entry.began = entry.began, None
            self._bus.emit(EventKind.RUN_STARTED, self._clock.now(), began)
        if run.status is Status.ENDED:
            self._close(entry, run, follow)
        else:
            self._on_stored(run, 0, ())

    def _close(self, entry: Entry, run: Run, follow: Sequence[Run] = ()) -> None:
        entry.stored = entry.known = run
        self._entries.pop(run.id, None)
        self._bus.emit(EventKind.RUN_ENDED, self._clock.now(), run)
        self._on_stored(run, entry.log_size, follow)
