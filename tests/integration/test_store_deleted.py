"""Deleted runs in the store: out of every list, back as they were, and gone for good with their files."""

from datetime import timedelta

import pytest
from sample_runs import NOW, a_job, a_run, a_tick, ended, started

from rota.storage.page import RunFilter
from rota.storage.store import Store


@pytest.fixture
async def store(tmp_path):
    store = Store.open(tmp_path, now=lambda: NOW)
    yield store
    await store.close()


async def written(store, *runs, log_size=0):
    for run in runs:
        await store.create(run)
    over = [ended(started(run)) for run in runs]
    for run, after in zip(runs, over, strict=True):
        handed = run.handed_over(after.hand_over)
        await store.move(run, handed)
        await store.move(handed, after, log_size=log_size)
    return over


async def test_a_deleted_run_is_in_no_list_and_comes_back_as_it_was(store):
    run, job = await written(store, a_run(1), a_job(2, name="build", tags=("red", "blue"), env=("TOKEN",)))

    assert await store.set_aside([run.id, job.id], NOW) == [run.id, job.id]

    assert await store.run(run.id) is None
    assert (await store.runs(RunFilter(tags=frozenset({"red"})), limit=9)).items == []
    assert await store.deleted_runs(None, 9) == [(job, NOW), (run, NOW)]
    assert await store.these_deleted([run.id]) == [(run, NOW)]

    assert await store.restore([run.id, job.id]) == {run.id: True, job.id: True}

    assert await store.run(run.id) == run
    assert (await store.runs(RunFilter(tags=frozenset({"red"})), limit=9)).items == [job]
    assert await store.deleted_runs(None, 9) == []


async def test_only_what_has_ended_can_be_deleted_and_only_once(store):
    await store.create(a_run(1))
    [over] = await written(store, a_run(2))

    assert await store.set_aside([a_run(1).id, over.id, a_run(3).id], NOW) == [over.id]
    assert await store.set_aside([over.id], NOW) == []
    assert await store.run(a_run(1).id) == a_run(1)


async def test_a_run_whose_tick_another_has_meanwhile_stays_deleted(store):
    [over] = await written(store, a_tick(1))
    await store.set_aside([over.id], NOW)
    await store.create(a_tick(2))

    assert await store.restore([over.id]) == {over.id: False}
    assert await store.these_deleted([over.id]) == [(over, NOW)]


async def test_what_was_deleted_long_enough_ago_goes_with_its_log(store):
    first, second = await written(store, a_run(1), a_run(2), log_size=1000)
    await store.set_aside([first.id], NOW)
    await store.set_aside([second.id], NOW + timedelta(minutes=1))

    assert await store.overdue(NOW - timedelta(seconds=1), 9) == []
    assert await store.overdue(NOW, 9) == [first.id]
    assert await store.purge([first.id, "unknown"]) == 1000

    assert await store.removals(9) == [first.id]
    assert await store.log_total() == 1000
    assert await store.restore([first.id]) == {}
    assert await store.deleted_runs(None, 9) == [(second, NOW + timedelta(minutes=1))]


async def test_deleted_runs_are_read_in_pieces(store):
    runs = await written(store, *(a_run(number) for number in range(5)))
    await store.set_aside([run.id for run in runs], NOW)

    first = await store.deleted_runs(None, 3)
    rest = await store.deleted_runs(first[-1][0].id, 3)

    assert [run for run, _ in (*first, *rest)] == runs[::-1]


async def test_a_row_from_before_a_migration_fits_after_it(store):
    """The columns that a row had are told by their names: one that is new since then is null."""
    [over] = await written(store, a_run(1))
    await store.set_aside([over.id], NOW)

    def lose_columns(cursor):
        cursor.execute("UPDATE deleted SET run = json_remove(run, '$.max_rss', '$.cpu_time')")

    await store._writer.submit(lose_columns)
    await store.restore([over.id])

    restored = await store.run(over.id)
    assert (restored.id, restored.max_rss, restored.end_reason) == (over.id, None, over.end_reason)
