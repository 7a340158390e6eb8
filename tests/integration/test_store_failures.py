"""When the database cannot be written: the write has changed nothing, says so, and all heals when it can."""

import asyncio
import os
import sqlite3
import subprocess
from contextlib import suppress

import pytest
from held_writer import held
from sample_runs import NOW, a_run
from sqlalchemy import event

from rota.model.error import StoreUnavailable
from rota.storage import row, runs
from rota.storage.page import RunFilter
from rota.storage.store import Store

LONG = "x" * 5000


@pytest.fixture
async def store(tmp_path):
    store = Store.open(tmp_path, now=lambda: NOW)
    yield store
    await store.close()


def limit_pages(store, pages):
    """Make the database end at so many pages, as a full disk would, from the next connection on."""

    @event.listens_for(store._writer._engine, "connect")
    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages()}")


async def fill(store):
    """Write until the disk is full; every run that was written."""
    written = []
    with suppress(StoreUnavailable):
        for number in range(100_000):
            run = a_run(number, params={"long": LONG})
            await store.create(run)
            written.append(run)
    assert 0 < len(written) < 100_000
    return written


async def listed(store):
    return (await store.runs(RunFilter(), limit=100_000)).items[::-1]


async def test_a_full_disk_refuses_writes_keeps_what_was_written_and_heals(store):
    pages = 100
    limit_pages(store, lambda: pages)

    written = await fill(store)

    assert not store.writable
    assert await listed(store) == written
    with pytest.raises(StoreUnavailable, match="disk that holds the database is full"):
        await store.create(a_run(200_000, params={"long": LONG}))

    pages = 1_000_000
    assert await store.heal()
    assert store.writable
    await store.create(a_run(200_000, params={"long": LONG}))


async def test_a_batch_that_does_not_fit_is_refused_whole(store):
    limit_pages(store, lambda: 60)
    await store.save_horizon(NOW)
    many = [a_run(number, params={"long": LONG}) for number in range(200)]

    async with held(store._writer):
        writes = [asyncio.ensure_future(store.create(run)) for run in many]
        writes.append(asyncio.ensure_future(store.create_many(many)))
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*writes, return_exceptions=True)

    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert await listed(store) == []
    assert await store.horizon() == NOW
    assert not store.writable


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
async def test_a_disk_that_is_really_full_refuses_writes_and_heals(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        store = Store.open(tmp_path)
        (tmp_path / "ballast").write_bytes(bytes(500_000))

        written = await fill(store)

        assert not store.writable
        assert await listed(store) == written
        (tmp_path / "ballast").unlink()
        assert await store.heal()
        run = a_run(200_000)
        await store.create(run, synced=True)
        assert await listed(store) == [*written, run]
        await store.close()
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (sqlite3.SQLITE_IOERR_WRITE, "the disk that holds the database reports an input/output error"),
        (
            sqlite3.SQLITE_READONLY_DBMOVED,
            "rota.db is read-only; look at the owner and mode of it and its folder",
        ),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another program holds the database locked"),
        (sqlite3.SQLITE_FULL, "the disk that holds the database is full; free some space"),
    ],
)
async def test_an_error_of_the_disk_refuses_all_that_would_have_been_committed_with_it(store, code, sentence):
    def fail(cursor):
        error = sqlite3.OperationalError("as the driver says it")
        error.sqlite_errorcode = code
        raise error

    async with held(store._writer):
        writes = [
            asyncio.ensure_future(write)
            for write in (store.create(a_run(1)), store._writer.submit(fail), store.create(a_run(2)))
        ]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*writes, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert {str(outcome) for outcome in outcomes} == {f"the database cannot be written: {sentence}"}
    assert len({id(outcome) for outcome in outcomes}) == 3, "one traceback each"
    assert await listed(store) == []
    assert not store.writable
    await store.create(a_run(1))
    assert store.writable


async def test_another_programs_lock_refuses_writes_while_it_lasts(tmp_path, monkeypatch):
    monkeypatch.setattr("rota.storage.sqlite.BUSY_TIMEOUT", 0.01)
    store = Store.open(tmp_path)
    other = sqlite3.connect(tmp_path / "rota.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        await store.create(a_run(1))
    assert not await store.heal()
    assert await listed(store) == []

    other.close()
    assert await store.heal()
    await store.create(a_run(1))
    await store.close()


async def test_an_operation_that_fails_by_itself_spoils_no_other(store):
    def half(cursor):
        runs.create(cursor, row.of_run(a_run(2)))
        raise RuntimeError("changed my mind")

    def nonsense(cursor):
        cursor.execute("INSERT INTO nowhere VALUES (1)")

    async with held(store._writer):
        writes = [
            asyncio.ensure_future(write)
            for write in (
                store.create(a_run(1)),
                store._writer.submit(half),
                store._writer.submit(nonsense),
                store.create(a_run(1)),
                store.create(a_run(3)),
            )
        ]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*writes, return_exceptions=True)

    assert [type(outcome).__name__ for outcome in outcomes] == [
        "NoneType", "RuntimeError", "OperationalError", "IntegrityError", "NoneType",
    ]  # fmt: skip
    assert await listed(store) == [a_run(1), a_run(3)]
    assert store.writable


async def test_a_reader_can_write_nothing(store):
    for statement in ("DELETE FROM runs", "CREATE TABLE t (x)"):
        with pytest.raises(StoreUnavailable, match="read-only"):
            await store._readers.ask(lambda connection, text=statement: connection.exec_driver_sql(text))
