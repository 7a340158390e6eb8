"""The store: what is written comes back, and every conflict is an answer."""

import asyncio
import stat
from datetime import timedelta

import pytest
from sample_runs import KEEPER, NOW, a_run, a_tick, ended, run_id, started

from rota.model.error import StoreUnavailable
from rota.model.run import Ending, EndReason, HandOver, Kind, Status, TriggeredBy
from rota.storage.conflict import KeyTaken, TickTaken
from rota.storage.requests import Request
from rota.storage.store import Store


def a_request(run, key="k", *, at=NOW, status_code=201):
    return Request(
        key=key,
        method="POST",
        path="/api/tasks/backup/run",
        body_hash="0" * 64,
        run_id=run.id,
        status_code=status_code,
        at=at,
    )


@pytest.fixture
async def store(tmp_path):
    store = Store.open(tmp_path, now=lambda: NOW)
    yield store
    await store.close()


async def test_a_new_run_comes_back_as_it_was(store):
    run = a_run(
        kind=Kind.SERVICE,
        task_name="nginx:front",
        triggered_by=TriggeredBy.RETRY,
        params={"level": "9", "none": None, "text": 'ä "\ud800\0'},
        retry_attempt=2,
        retry_of_run_id=run_id(7),
        instance_index=0,
        scheduled_at=NOW - timedelta(microseconds=1),
        node="east-1",
    )

    await store.create(run)

    assert await store.run(run.id) == run
    assert await store.run(run_id(99)) is None


async def test_a_run_is_followed_through_its_life(store):
    run = a_run()
    await store.create(run)

    handed_over = run.handed_over(KEEPER)
    running = handed_over.started(at=NOW, pid=12)
    over = running.ended(
        EndReason.FAILED, Ending(signal="SIGKILL", end_at=NOW - timedelta(hours=1), message="killed")
    )

    for before, after in [(run, handed_over), (handed_over, running), (running, over)]:
        assert await store.move(before, after)
        assert await store.run(run.id) == after


async def test_a_sentence_with_bytes_of_a_file_name_is_stored_readably(store):
    run = a_run()
    await store.create(run)

    message = "no folder /srv/\udcff\0ü"
    await store.move(run, run.ended(EndReason.START_FAILED, Ending(end_at=NOW, message=message)))

    assert (await store.run(run.id)).message == "no folder /srv/\\udcff\\x00ü"


async def test_a_run_can_be_taken_back_from_a_keeper(store):
    run = a_run()
    given = run.handed_over(KEEPER)
    await store.create(given)

    assert await store.move(given, given.taken_back())

    assert await store.run(run.id) == run


@pytest.mark.parametrize(
    "stale",
    [
        a_run(),
        a_run().handed_over(HandOver(attempt="other", keeper_id="keeper-1", boot_id="boot-1")),
        started(a_run()),
        a_run(node="elsewhere").handed_over(KEEPER),
    ],
    ids=["not handed over", "another attempt", "another status", "another node"],
)
async def test_a_move_from_what_is_no_longer_so_changes_nothing(store, stale):
    run = a_run().handed_over(KEEPER)
    await store.create(run)

    assert not await store.move(stale, ended(stale))

    assert await store.run(run.id) == run


async def test_of_two_rivals_one_wins_and_the_other_hears_it(store):
    run = a_run()
    await store.create(run)

    won = await asyncio.gather(
        store.move(run, run.handed_over(KEEPER), synced=True),
        store.move(run, run.ended(EndReason.STOPPED, Ending(end_at=NOW))),
    )

    assert [moved is not None for moved in won] == [True, False]
    assert (await store.run(run.id)).hand_over == KEEPER


async def test_a_tick_has_one_run(store):
    first, rival = a_tick(1), a_tick(2)
    await store.create(first)

    with pytest.raises(TickTaken):
        await store.create(rival)

    assert await store.run(rival.id) is None
    await store.create(a_tick(3, task_name="other"))
    await store.create(a_run(4))
    await store.create(a_run(5))


async def test_many_ticks_are_claimed_at_once_and_the_taken_ones_left(store):
    taken = a_tick(1, task_name="t1")
    await store.create(taken)
    ticks = [a_tick(10 + n, task_name=f"t{n}") for n in range(2000)]

    inserted = await store.create_many(ticks)

    assert inserted == [tick for tick in ticks if tick.task_name != "t1"]
    assert len(await store.open_runs()) == 2000
    assert await store.create_many([]) == []


async def test_an_id_is_never_given_to_a_second_run(store):
    await store.create(a_run(1))

    with pytest.raises(Exception, match="UNIQUE"):
        await store.create(a_run(1, task_name="other"))

    assert (await store.run(run_id(1))).task_name == "backup"


async def test_a_request_is_stored_with_its_run_and_found_by_its_key(store):
    run = a_run()
    request = a_request(run, "ключ", status_code=409)

    await store.create(run, request=request)

    assert await store.request("ключ") == request
    assert await store.request("other") is None


async def test_a_key_that_is_taken_names_the_earlier_request_and_starts_nothing(store):
    first, second = a_run(1), a_run(2)
    await store.create(first, request=a_request(first))

    with pytest.raises(KeyTaken) as taken:
        await store.create(second, request=a_request(second))

    assert taken.value.request == a_request(first)
    assert await store.run(second.id) is None


async def test_a_key_is_not_used_up_by_a_run_that_could_not_be_created(store):
    await store.create(a_tick(1))
    rival = a_tick(2)

    with pytest.raises(TickTaken):
        await store.create(rival, request=a_request(rival))

    assert await store.request("k") is None


async def test_of_many_equal_requests_at_once_one_starts_a_run(store):
    runs = [a_run(n) for n in range(50)]

    outcomes = await asyncio.gather(
        *(store.create(run, request=a_request(run)) for run in runs), return_exceptions=True
    )

    assert outcomes[0] is None
    assert all(isinstance(outcome, KeyTaken) for outcome in outcomes[1:])
    assert await store.open_runs() == runs[:1]


async def test_a_key_is_free_again_after_a_day(store):
    first, second = a_run(1), a_run(2)
    await store.create(first, request=a_request(first, at=NOW - timedelta(days=1)))

    assert await store.request("k") is None
    await store.create(second, request=a_request(second))

    assert (await store.request("k")).run_id == second.id


async def test_old_requests_are_swept_out_by_new_ones(store):
    for n in range(30):
        run = a_run(n)
        await store.create(run, request=a_request(run, f"old {n}", at=NOW - timedelta(hours=25)))
    for n in range(30, 34):
        run = a_run(n)
        await store.create(run, request=a_request(run, f"new {n}"))

    left = await store._readers.ask(
        lambda connection: connection.exec_driver_sql("SELECT key FROM requests ORDER BY key").scalars().all()
    )

    assert left == [f"new {n}" for n in range(30, 34)]


async def test_tasks_keep_their_id_and_the_time_of_their_schedule(store):
    later = NOW + timedelta(hours=1)
    first = await store.register_tasks({"a": "f1", "b": "f1"}, {"a": "{}", "b": "{}"}, NOW)
    ids = await store.task_ids()

    second = await store.register_tasks(
        {"b": "f2", "a": "f1", "c": "f1"}, {"a": "{}", "b": "{}", "c": "{}"}, later
    )
    third = await store.register_tasks({}, {}, later)

    assert second["a"] == first["a"]
    assert second["b"].schedule_since == later
    assert second["c"].schedule_since == later
    assert third == {}
    assert await store.task_ids() == {**ids, "c": max(ids.values()) + 1}


async def test_what_is_remembered_of_a_task_is_what_was_registered(store):
    first = await store.register_tasks({"a": "f1"}, {"a": '{"run":"true"}'}, NOW)
    changed = await store.register_tasks({"a": "f2"}, {"a": '{"run":"false"}'}, NOW + timedelta(hours=1))

    again = await store.register_tasks({"a": "f2"}, {"a": '{"run":"false"}'}, NOW + timedelta(hours=2))

    assert again == changed
    assert (changed["a"].revision, first["a"].revision) == (2, 1)


async def test_the_id_of_a_task_that_was_deleted_is_not_used_again(store):
    await store.register_tasks({"a": "f"}, {"a": "{}"}, NOW)
    first = await store.task_ids()
    await store._writer.submit(lambda cursor: cursor.execute("DELETE FROM tasks"))

    await store.register_tasks({"b": "f"}, {"b": "{}"}, NOW)

    assert (await store.task_ids())["b"] > first["a"]


async def test_the_horizon_is_remembered(store):
    assert await store.horizon() is None

    await store.save_horizon(NOW)
    await store.save_horizon(NOW + timedelta(microseconds=1))

    assert await store.horizon() == NOW + timedelta(microseconds=1)


async def test_event_ids_are_given_once_over_restarts_too(tmp_path):
    first = Store.open(tmp_path)
    assert await first.reserve_event_ids(100) == 1
    assert await first.reserve_event_ids(5) == 101
    await first.close()

    second = Store.open(tmp_path)
    assert await second.reserve_event_ids(1) == 106
    await second.close()


async def test_the_store_keeps_its_id_and_everything_else_over_a_restart(tmp_path):
    first = Store.open(tmp_path)
    await first.create(a_run())
    await first.close()

    second = Store.open(tmp_path)
    other = Store.open(tmp_path / "other")

    assert second.store_id == first.store_id != other.store_id
    assert await second.run(run_id(1)) == a_run()
    await second.close()
    await other.close()


async def test_the_database_is_its_owners_alone(tmp_path):
    data = tmp_path / "new" / "data"
    store = Store.open(data)
    await store.create(a_run())

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    await store.close()

    assert modes == {"rota.db": 0o600, "rota.db-wal": 0o600, "rota.db-shm": 0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


async def test_a_database_that_others_could_read_is_made_private(tmp_path):
    await Store.open(tmp_path).close()
    (tmp_path / "rota.db").chmod(0o644)

    await Store.open(tmp_path).close()

    assert stat.S_IMODE((tmp_path / "rota.db").stat().st_mode) == 0o600


async def test_a_folder_with_odd_characters_holds_a_database(tmp_path):
    data = tmp_path / "a?b#c%20d é"

    store = Store.open(data)
    await store.create(a_run())
    assert await store.run(run_id(1)) == a_run()
    await store.close()

    assert [path.name for path in data.iterdir()] == ["rota.db"]


async def test_closing_finishes_what_was_asked_for(tmp_path):
    store = Store.open(tmp_path)
    writes = [asyncio.ensure_future(store.create(a_run(n))) for n in range(500)]
    await asyncio.sleep(0)

    await asyncio.gather(store.close(), store.close())

    assert [write.exception() for write in writes] == [None] * 500
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.create(a_run(1000))
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.run(run_id(1))
    reopened = Store.open(tmp_path)
    assert len(await reopened.open_runs()) == 500
    await reopened.close()


async def test_a_write_is_carried_out_although_its_caller_has_gone(store):
    write = asyncio.ensure_future(store.create(a_run()))
    await asyncio.sleep(0)

    write.cancel()
    await store.save_horizon(NOW)

    assert await store.run(run_id(1)) == a_run()


async def test_open_runs_come_oldest_first_and_without_the_ended(store):
    pending, running, over = a_run(3), started(a_run(2)), ended(started(a_run(1)))
    for run in (pending, running, over):
        await store.create(run)

    assert await store.open_runs() == [running, pending]
    assert running.status is Status.RUNNING
