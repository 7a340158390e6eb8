"""The writer: what is queued together is committed together, in order, and nobody waits for ever."""

import asyncio
import threading

import pytest
from held_writer import held
from sqlalchemy import event

from rota.model.error import StoreUnavailable
from rota.storage import sqlite
from rota.storage import writer as writing
from rota.storage.writer import Writer


@pytest.fixture
async def said(tmp_path):
    """A writer on an empty database, and every statement that it has sent."""
    path = tmp_path / "rota.db"
    path.touch()
    engine = sqlite.writing(path)
    statements = []

    @event.listens_for(engine, "connect")
    def listen(connection, _record):
        connection.set_trace_callback(statements.append)

    writer = Writer(engine)
    writer.start()
    await writer.submit(lambda cursor: cursor.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    statements.clear()
    yield writer, statements
    await writer.close()


def insert(number):
    return lambda cursor: cursor.execute("INSERT INTO t VALUES (?)", (number,)).rowcount


def transactions(statements):
    return [text for text in statements if text.split()[0] in ("BEGIN", "COMMIT", "PRAGMA", "ROLLBACK")]


async def test_one_write_is_committed_at_once(said):
    writer, statements = said

    assert await writer.submit(insert(1)) == 1

    assert statements == ["BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT"]


async def test_what_comes_while_the_writer_is_busy_is_committed_together_in_order(said):
    writer, statements = said
    order = []
    async with held(writer):
        writes = [writer.submit(insert(number)) for number in range(100)]
        for number, write in enumerate(writes):
            write.add_done_callback(lambda _, number=number: order.append(number))

    await asyncio.gather(*writes)
    await asyncio.sleep(0)  # from Python 3.12 on it need not let the callbacks run when all are done already

    assert transactions(statements) == ["BEGIN IMMEDIATE", "COMMIT"] * 2
    assert order == list(range(100))


async def test_only_a_batch_that_holds_a_synced_write_is_flushed_to_the_disk(said):
    writer, statements = said

    await writer.submit(insert(1))
    await writer.submit(insert(2), synced=True)
    await writer.submit(insert(3), synced=True)
    await writer.submit(insert(4))

    assert transactions(statements) == [
        "BEGIN IMMEDIATE", "COMMIT",
        "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT",
        "BEGIN IMMEDIATE", "COMMIT",
        "PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE", "COMMIT",
    ]  # fmt: skip


async def test_a_synced_write_flushes_those_that_are_committed_with_it(said):
    writer, statements = said
    async with held(writer):
        writes = [writer.submit(insert(n), synced=n == 5) for n in range(10)]

    await asyncio.gather(*writes)

    assert transactions(statements)[2:] == ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT"]


async def test_a_queue_that_never_empties_is_committed_in_parts(said, monkeypatch):
    monkeypatch.setattr(writing, "_MOST", 10)
    writer, statements = said
    async with held(writer):
        writes = [writer.submit(insert(number)) for number in range(95)]

    await asyncio.gather(*writes)

    assert statements.count("COMMIT") == 1 + 10


async def test_after_a_while_of_quiet_the_log_is_carried_to_the_disk(said, monkeypatch):
    monkeypatch.setattr(writing, "_QUIET", 0.01)
    writer, statements = said
    carried = asyncio.Event()
    flush, loop = writer._flush, asyncio.get_running_loop()

    def flushed():
        flush()
        loop.call_soon_threadsafe(carried.set)

    monkeypatch.setattr(writer, "_flush", flushed)
    await writer.submit(insert(1))

    await asyncio.wait_for(carried.wait(), 10)

    assert statements[-1] == "PRAGMA wal_checkpoint(PASSIVE)"


@pytest.mark.parametrize("error", [RuntimeError("a fault of our own"), MemoryError()])
async def test_a_fault_of_the_writer_itself_reaches_everyone_who_waits(said, monkeypatch, error):
    writer, _ = said
    commit = writer._commit

    def fail(batch):
        raise error

    async with held(writer):
        monkeypatch.setattr(writer, "_commit", fail)
        writes = [writer.submit(insert(number)) for number in range(10)]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert outcomes[0].__cause__ is error
    assert not writer.writable
    monkeypatch.setattr(writer, "_commit", commit)
    assert await writer.submit(insert(1)) == 1
    assert writer.writable


async def test_a_connection_that_breaks_is_replaced(said):
    writer, _ = said
    await writer.submit(insert(1))
    broken = writer._connection
    await writer.submit(lambda cursor: setattr(writer, "_cursor", None))

    assert await writer.submit(insert(2)) == 1

    assert writer._connection is not broken


async def test_a_writer_that_was_never_started_can_be_closed(tmp_path):
    writer = Writer(sqlite.writing(tmp_path / "rota.db"))

    await writer.close()
    await writer.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        writer.submit(insert(1))


def test_a_loop_that_is_gone_holds_up_nobody_on_another(tmp_path):
    path = tmp_path / "rota.db"
    path.touch()
    writer = Writer(sqlite.writing(path))
    writer.start()
    inside, leave = threading.Event(), threading.Event()

    async def go():
        writer.submit(lambda cursor: inside.set() or leave.wait(timeout=30))
        await asyncio.to_thread(inside.wait, 30)
        writer.submit(lambda cursor: cursor.execute("CREATE TABLE t (x)"))

    async def come_later():
        insertion = writer.submit(insert(1))  # in one batch with what the loop before had left
        leave.set()
        assert await insertion == 1
        await writer.close()

    asyncio.run(go())
    asyncio.run(come_later())

    assert not writer._thread.is_alive()


async def test_the_writer_is_one_daemon_thread_with_a_name(said):
    writer, _ = said

    thread = await writer.submit(lambda cursor: threading.current_thread())

    assert (thread.name, thread.daemon) == ("rota-writer", True)
