"""The one writer: a thread that commits whatever is queued at the moment, all of it at once.

It never waits for company: the first operation starts a batch, those that have come meanwhile join it,
and while it commits the next batch gathers. Nobody hears of an outcome before the commit. An operation that
fails takes nothing of the others with it: the batch is begun again, each in a savepoint. Savepoints
come second because every statement gives up the interpreter, and a busy event loop is slow to return it.

What a power cut can cost. The write-ahead log is flushed to the disk by the commit of a batch that holds a
`synced` operation (`synchronous=FULL`), and that covers every commit before it. Other commits (`NORMAL`) are
flushed with the next synced one, or after a second of quiet, or by the kernel: a power cut or a crash of the
kernel can undo those of the last moments, in reverse order, never in part. The death of Rota's own process,
by `kill -9` too, costs no commit at all.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rota.model.error import RotaError, StoreUnavailable
from rota.storage import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine, PoolProxiedConnection
    from sqlalchemy.engine.interfaces import DBAPICursor

T = TypeVar("T")

_MOST = 1000
"""Operations in one batch: the first of ten thousand need not wait for the last."""

_QUIET = 1.0
"""Seconds without a write after which what is not on the disk yet is carried there."""


@dataclass(slots=True)
class _Write(Generic[T]):
    """An operation, and who waits for its outcome."""

    operation: Callable[[DBAPICursor], T]
    synced: bool
    outcome: asyncio.Future[T]


@dataclass(slots=True)
class _Result:
    """What became of a write: its value, or the error that its own operation raised."""

    write: _Write[Any]
    value: object = None
    error: BaseException | None = None


class Writer:
    """Takes operations on the event loop, and runs them in its thread, in the order in which they came."""

    def __init__(self, engine: Engine) -> None:
        self.writable = True  #: False after a failed commit, until one succeeds again
        self._engine = engine
        self._queue: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rota-writer", daemon=True)
        self._closed = False
        self._connection: PoolProxiedConnection | None = None
        self._cursor: DBAPICursor | None = None
        self._synchronous = ""
        self._unflushed = False

    def start(self) -> None:
        """Begin to take operations."""
        self._thread.start()

    def submit(self, operation: Callable[[DBAPICursor], T], *, synced: bool = False) -> asyncio.Future[T]:
        """Queue an operation; the future has its outcome once it is committed.

        It only speaks to the database, so that it may be begun again. It is carried out even if nobody waits
        for it any more. An error that it returns is raised where it is waited for, and costs the others of
        its batch nothing, unlike one that it raises. StoreUnavailable: it changed nothing.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(operation, synced, outcome))
        return outcome

    async def close(self) -> None:
        """Carry out all that is queued, and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            if not batch:
                self._flush()
                continue
            try:
                results, writable = self._commit(batch), True
            except BaseException as error:  # noqa: BLE001 - whatever it is, no one may wait for ever
                self._forget_connection()
                results, writable = _refuse(batch, error), False
            self._tell(results, writable=writable)
        self._forget_connection()

    def _take(self) -> tuple[list[_Write[Any]], bool]:
        """All that is queued, and whether to go on after it. Empty when there was a while of quiet."""
        batch: list[_Write[Any]] = []
        try:
            write = self._queue.get(timeout=_QUIET if self._unflushed else None)
            while write is not None:
                batch.append(write)
                if len(batch) == _MOST:
                    return batch, True
                write = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _commit(self, batch: list[_Write[Any]]) -> list[_Result]:
        synced = any(write.synced for write in batch)
        cursor = self._begin("FULL" if synced else "NORMAL")
        try:
            results = [_Result(write, write.operation(cursor)) for write in batch]
        except Exception as error:
            if sqlite.unavailable(error) is not None:
                raise  # not this operation's own fault: none of the batch can be written
            cursor.execute("ROLLBACK")
            cursor.execute(sqlite.BEGIN)
            results = [_apart(cursor, write) for write in batch]
        cursor.execute("COMMIT")
        self._unflushed = not synced
        return results

    def _begin(self, synchronous: str) -> DBAPICursor:
        if self._connection is None or self._cursor is None:
            self._connection = self._engine.raw_connection()
            self._cursor = self._connection.cursor()
            self._synchronous = ""
        if synchronous != self._synchronous:
            self._cursor.execute(f"PRAGMA synchronous = {synchronous}")
            self._synchronous = synchronous
        self._cursor.execute(sqlite.BEGIN)
        return self._cursor

    def _flush(self) -> None:
        """Carry the log over into the database file, which puts it on the disk first."""
        self._unflushed = False
        if self._cursor is not None:
            # Nothing is lost when this fails: the log has it all, and the next commit tells of the disk.
            with suppress(self._engine.dialect.loaded_dbapi.Error):
                self._cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget_connection(self) -> None:
        """Give up the connection, and with it whatever it had begun."""
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            with suppress(self._engine.dialect.loaded_dbapi.Error):
                connection.close()

    def _tell(self, results: list[_Result], *, writable: bool) -> None:
        """Wake all who wait with one call, or one for each of their loops should there be several."""
        waiting: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
        for result in results:
            waiting.setdefault(result.write.outcome.get_loop(), []).append(result)
        for loop, theirs in waiting.items():
            # RuntimeError: the loop was closed with writes under way. They are done, and nobody listens.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle, theirs, writable)

    def _settle(self, results: list[_Result], writable: bool) -> None:
        self.writable = writable
        for result in results:
            outcome = result.write.outcome
            if outcome.done():  # who waited for it has gone
                continue
            if result.error is not None:
                outcome.set_exception(result.error)
            elif isinstance(result.value, RotaError):
                outcome.set_exception(result.value)
            else:
                outcome.set_result(result.value)


def _apart(cursor: DBAPICursor, write: _Write[Any]) -> _Result:
    cursor.execute("SAVEPOINT apart")
    try:
        result = _Result(write, write.operation(cursor))
    except Exception as error:
        if sqlite.unavailable(error) is not None:
            raise
        cursor.execute("ROLLBACK TO apart")
        result = _Result(write, error=error)
    cursor.execute("RELEASE apart")
    return result


def _refuse(batch: list[_Write[Any]], error: BaseException) -> list[_Result]:
    """The transaction itself failed, so none of its operations changed anything."""
    reason = sqlite.unavailable(error) or repr(error)
    results = []
    for write in batch:
        refused = StoreUnavailable(f"the database cannot be written: {reason}")
        refused.__cause__ = error
        results.append(_Result(write, error=refused))
    return results
