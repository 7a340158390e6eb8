"""Databases of earlier releases, kept as they were: each is brought up to date, and says what it said."""

import sqlite3
from importlib import import_module
from pathlib import Path

import pytest

from rota.model.pause import PauseKind
from rota.model.run import EndReason, Kind, Status, TriggeredBy
from rota.storage.page import RunFilter
from rota.storage.schema import METADATA, REVISION
from rota.storage.store import FILE, Store
from rota.storage.waits import WaitStatus

FROZEN = sorted(path.stem for path in (Path(__file__).parent / "frozen").glob("revision_*.sql"))


def test_there_is_one_of_the_newest_revision():
    assert FROZEN[-1] == f"revision_{REVISION}"


@pytest.fixture
def thaw(tmp_path):
    def thaw(name):
        path = Path(__file__).parent / "frozen" / f"{name}.sql"
        connection = sqlite3.connect(tmp_path / FILE)
        connection.executescript(path.read_text())
        connection.close()
        return import_module(f"frozen.{name}")

    return thaw


@pytest.fixture(params=FROZEN)
async def opened(request, thaw, tmp_path):
    content = thaw(request.param)
    store = Store.open(tmp_path, now=lambda: content.NOON)
    yield content, store
    await store.close()


async def test_its_runs_are_as_they_were(opened):
    content, store = opened

    assert [await store.run(run.id) for run in content.RUNS] == content.RUNS
    newest_first = sorted(content.RUNS, key=lambda run: run.id, reverse=True)
    assert (await store.runs(RunFilter(), limit=100)).items == newest_first
    assert await store.open_runs() == [run for run in newest_first[::-1] if run.status is not Status.ENDED]
    assert (await store.runs(RunFilter(tags=frozenset({"ci"})), limit=9)).items == [
        run for run in newest_first if run.job is not None and "ci" in run.job.tags
    ]
    assert store.store_id == content.STORE_ID


async def test_its_deleted_runs_come_back_and_its_removals_go_on(opened):
    content, store = opened
    newest_first = sorted(content.DELETED, key=lambda run: run.id, reverse=True)

    assert await store.deleted_runs(None, 9) == [(run, content.NOON) for run in newest_first]
    assert set((await store.restore([run.id for run in content.DELETED])).values()) == {True}

    assert [await store.run(run.id) for run in content.DELETED] == content.DELETED
    assert await store.run(content.REMOVED.id) is None
    assert await store.removals(9) == [content.REMOVED.id]


async def test_its_logs_are_counted(opened):
    content, store = opened
    [kept, given_up] = content.LOG_SIZES

    assert await store.log_total() == content.LOG_SIZES[kept]
    assert await store.oldest_logs("", 9) == [(kept, content.LOG_SIZES[kept])]
    assert await store.log_removed_at(given_up) == content.NOON


async def test_its_definitions_and_schedules_go_on_where_they_were(opened):
    content, store = opened
    numbers = await store.task_ids()

    records = await store.register_tasks(dict(content.FINGERPRINTS), content.NEW, content.HORIZON)

    assert await store.revisions("backup") == content.REVISIONS
    assert records.keys() == numbers.keys()
    assert await store.task_ids() == numbers
    assert {record.schedule_since for record in records.values()} == {content.REVISIONS[-1].since}
    assert records["backup"].revision == 2
    assert await store.horizon() == content.HORIZON
    assert await store.keeper_begun() == content.KEEPER.keeper_id
    assert await store.reserve_event_ids(1) == content.EVENT_IDS + 1


async def test_what_was_wanted_stands(opened):
    content, store = opened
    kept = await store.services()

    assert sorted(await store.pauses(), key=lambda pause: pause.scope.kind) == content.PAUSES
    assert (kept.boot_id, kept.wanted, kept.instances) == (
        content.KEEPER.boot_id,
        content.WANTED,
        content.INSTANCES,
    )
    assert {life.id for life in kept.last_lives} == {
        run.id for run in content.RUNS if run.kind is Kind.SERVICE
    }
    assert await store.request(content.REQUEST.key) == content.REQUEST
    assert [await store.wait(wait.id) for wait in content.WAITS] == content.WAITS


async def test_its_chain_is_completed_by_the_end_that_was_missing(opened):
    content, store = opened

    assert [run.id for run in await store.open_runs() if run.task_name == "report"] == []
    follow = await content.complete_the_chain(store)

    assert [run.task_name for run in follow] == ["report"]


def test_the_newest_has_a_row_in_every_table_and_a_run_of_every_kind(thaw, tmp_path):
    content = thaw(FROZEN[-1])
    connection = sqlite3.connect(tmp_path / FILE)

    for table in METADATA.tables:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,), table
    connection.close()
    assert {run.kind for run in content.RUNS} == set(Kind)
    assert {run.status for run in content.RUNS} == set(Status)
    assert {run.end_reason for run in content.RUNS} == {None, *EndReason}
    assert {run.triggered_by for run in content.RUNS} == set(TriggeredBy)
    assert {pause.scope.kind for pause in content.PAUSES} == set(PauseKind)
    assert {wait.status for wait in content.WAITS} == set(WaitStatus)
