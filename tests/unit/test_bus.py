"""The event bus: numbering, following, coming back, and falling behind."""

import asyncio
from datetime import UTC, datetime

import pytest

from rota.events.bus import Bus
from rota.events.subscription import Gap
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import Run, RunId, TriggeredBy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CREATED, STARTED, ENDED = EventKind.RUN_CREATED, EventKind.RUN_STARTED, EventKind.RUN_ENDED


def run_of(task_name, run_id="0198a000-0000-7000-8000-000000000001"):
    return Run(id=RunId(run_id), task_name=task_name, triggered_by=TriggeredBy.API, created_at=NOW)


async def taken(subscription, count):
    return [await anext(subscription) for _ in range(count)]


async def rest(subscription):
    return [item async for item in subscription]


def test_events_are_numbered_from_the_first_id_on():
    bus = Bus(501)

    first = bus.emit(CREATED, NOW, run_of("a"))
    second = bus.emit(EventKind.STORE_FAILED, NOW, message="full")

    assert (first.id, second.id) == (501, 502)
    assert (first.run, first.at, first.message) == (run_of("a"), NOW, None)
    assert second.message == "full"


async def test_a_subscriber_gets_what_happens_after_it_came_in_order():
    bus = Bus(1)
    bus.emit(CREATED, NOW)
    subscription = bus.subscribe()

    sent = [bus.emit(CREATED, NOW), bus.emit(ENDED, NOW)]

    assert await taken(subscription, 2) == sent


async def test_a_reader_that_waits_is_woken():
    bus = Bus(1)
    reader = asyncio.create_task(anext(bus.subscribe()))
    await asyncio.sleep(0)

    event = bus.emit(STARTED, NOW)

    assert await reader == event


async def test_a_reader_that_gave_up_waiting_misses_nothing_later():
    bus = Bus(1)
    subscription = bus.subscribe()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(subscription), 0.001)

    event = bus.emit(STARTED, NOW)

    assert await anext(subscription) == event


async def test_who_comes_back_gets_what_followed_the_last_id():
    bus = Bus(10)
    sent = [bus.emit(CREATED, NOW) for _ in range(5)]
    subscription = bus.subscribe(after=11)

    sent.append(bus.emit(ENDED, NOW))

    assert await taken(subscription, 4) == sent[2:]


@pytest.mark.parametrize("after", [9, 14])
async def test_who_missed_nothing_is_told_of_no_gap(after):
    bus = Bus(10)
    for _ in range(5):
        bus.emit(CREATED, NOW)
    subscription = bus.subscribe(after=after)

    bus.close()

    assert [event.id for event in await rest(subscription)] == list(range(after + 1, 15))


@pytest.mark.parametrize("after", [0, 8, 15, 10**15])
async def test_a_gap_comes_first_when_what_followed_an_id_is_not_known(after):
    bus = Bus(10)
    for _ in range(5):
        bus.emit(CREATED, NOW)
    subscription = bus.subscribe(after=after)

    gap, event = await taken(subscription, 2)

    assert gap == Gap(first_available=10)
    assert event.id == 10


async def test_after_a_restart_an_old_id_means_a_gap_although_nothing_happened_yet():
    bus = Bus(20_001)
    subscription = bus.subscribe(after=7)

    assert await anext(subscription) == Gap(first_available=20_001)


async def test_the_ring_forgets_the_oldest():
    bus = Bus(1, ring=3)
    for _ in range(10):
        bus.emit(CREATED, NOW)
    subscription = bus.subscribe(after=5)

    items = await taken(subscription, 4)

    assert items[0] == Gap(first_available=8)
    assert [event.id for event in items[1:]] == [8, 9, 10]


async def test_a_slow_reader_is_told_what_it_missed_and_goes_on():
    bus = Bus(1, ring=3)
    subscription = bus.subscribe()
    for _ in range(5):
        bus.emit(CREATED, NOW)

    items = await taken(subscription, 4)
    bus.emit(ENDED, NOW)
    following = await anext(subscription)

    assert items[0] == Gap(first_available=3)
    assert [event.id for event in items[1:]] == [3, 4, 5]
    assert following.id == 6


async def test_a_slow_reader_misses_nothing_when_what_passes_is_not_for_it():
    bus = Bus(1, ring=3)
    subscription = bus.subscribe(task_name="rare")
    bus.emit(CREATED, NOW, run_of("rare"))
    for _ in range(100):
        bus.emit(CREATED, NOW, run_of("busy"))
    bus.emit(ENDED, NOW, run_of("rare"))
    bus.close()

    assert [event.id for event in await rest(subscription)] == [1, 102]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"task_name": "a"}, [1, 3]),
        ({"task_name": "b"}, [2, 4]),
        ({"run_id": "y"}, [2, 3]),
        ({"task_name": "a", "run_id": "y"}, [3]),
        ({"kinds": {CREATED}}, [1, 2]),
        ({"kinds": {EventKind.STORE_FAILED, ENDED}}, [4, 5]),
        ({"kinds": {ENDED}, "task_name": "a"}, []),
        ({"kinds": set()}, []),
    ],
)
@pytest.mark.parametrize("coming_back", [False, True])
async def test_filters_hold_for_old_and_new_events_alike(wanted, ids, coming_back):
    bus = Bus(1)
    subscription = None if coming_back else bus.subscribe(**wanted)
    bus.emit(CREATED, NOW, run_of("a", "x"))
    bus.emit(CREATED, NOW, run_of("b", "y"))
    bus.emit(STARTED, NOW, run_of("a", "y"))
    bus.emit(ENDED, NOW, run_of("b", "z"))
    bus.emit(EventKind.STORE_FAILED, NOW)
    subscription = subscription or bus.subscribe(after=0, **wanted)

    bus.close()

    assert [event.id for event in await rest(subscription)] == ids


async def test_closing_the_bus_ends_every_reader_after_what_came_before():
    bus = Bus(1)
    waiting = [asyncio.create_task(rest(bus.subscribe())) for _ in range(3)]
    behind = bus.subscribe()
    await asyncio.sleep(0)
    bus.emit(CREATED, NOW)

    bus.close()
    bus.close()

    assert [len(events) for events in await asyncio.gather(*waiting)] == [1, 1, 1]
    assert [event.id for event in await rest(behind)] == [1]
    assert await rest(bus.subscribe()) == []


async def test_a_closed_subscription_takes_no_more_and_its_place_is_free():
    bus = Bus(1)
    with bus.subscribe(task_name="a") as subscription:
        bus.emit(CREATED, NOW, run_of("a"))

    bus.emit(ENDED, NOW, run_of("a"))
    subscription.close()

    assert [event.id for event in await rest(subscription)] == [1]
    assert bus._subscriptions == {}


async def test_the_next_block_of_ids_is_reserved_before_the_first_is_used_up():
    blocks = iter([11, 21])
    asked = asyncio.Event()

    async def reserve(count):
        assert count == 10
        asked.set()
        return next(blocks)

    bus = Bus(1, 10, reserve)
    for _ in range(5):
        bus.emit(CREATED, NOW)
    await asyncio.sleep(0)
    assert not asked.is_set()

    bus.emit(CREATED, NOW)
    await asked.wait()
    await asyncio.sleep(0)

    assert [bus.emit(CREATED, NOW).id for _ in range(6)] == [7, 8, 9, 10, 11, 12]
    assert next(blocks) == 21


async def test_a_store_that_cannot_reserve_stops_no_event_and_is_asked_again():
    answers = iter([StoreUnavailable("full"), 11])

    async def reserve(count):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    bus = Bus(1, 10, reserve)
    ids = []
    for _ in range(12):
        ids.append(bus.emit(EventKind.STORE_FAILED, NOW).id)
        await asyncio.sleep(0)

    assert ids == list(range(1, 13))
    assert next(answers, None) is None


async def test_ids_that_the_store_gave_to_somebody_else_are_not_used():
    async def reserve(count):
        return 1001

    bus = Bus(1, 10, reserve)
    for _ in range(6):
        bus.emit(CREATED, NOW)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert bus.emit(CREATED, NOW).id == 1001
    subscription = bus.subscribe(after=5)
    assert [event.id for event in await taken(subscription, 2)] == [6, 1001]


async def test_closing_gives_up_a_reservation_that_is_under_way():
    started = asyncio.Event()

    async def reserve(count):
        started.set()
        await asyncio.Event().wait()

    bus = Bus(1, 2, reserve)
    bus.emit(CREATED, NOW)
    bus.emit(CREATED, NOW)
    await started.wait()
    task = bus._asking

    bus.close()

    with pytest.raises(asyncio.CancelledError):
        await task
