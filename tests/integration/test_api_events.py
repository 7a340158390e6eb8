"""The stream of events: what it tells, where it goes on, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from api_bed import Conversation, api_of

from rota.api.routes import follow_events
from rota.model.event import EventKind
from rota.model.run import RunId
from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from api_bed import Api


def task(name: str = "job") -> Task:
    return Task(name=name, run="true", max_concurrent=100)


async def start(api: Api, task_name: str = "job") -> str:
    run_id: str = (await api.tcp.post(f"/api/tasks/{task_name}/run")).json()["id"]
    return run_id


def follow(api: Api, query: str = "", after: str | None = None) -> Conversation:
    headers = {} if after is None else {"Last-Event-ID": after}
    return Conversation(api.app, "GET", f"/api/events{query}", headers)


async def test_every_change_of_a_run_is_told_as_it_happens(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        stream = follow(api)
        answer = await stream.start()

        run_id = await start(api)
        await api.bed.until(EventKind.RUN_STARTED)
        api.bed.keeper.end(run_id, 4)
        told = [await stream.event() for _ in range(3)]

        assert (b"content-type", b"text/event-stream") in answer["headers"]
        assert [each["event"] for each in told if each] == ["run.created", "run.started", "run.ended"]
        assert [each["data"]["run"]["id"] for each in told if each] == [run_id] * 3
        last = told[-1]
        assert last is not None
        assert last["data"]["id"] == int(last["id"])
        assert last["data"]["run"]["exit_code"] == 4
        assert last["data"]["$schema"].endswith("/schemas/Event.json")
        stream.hang_up()
        await stream.over()


async def test_a_stream_tells_only_what_was_asked_for(tmp_path: Path) -> None:
    async with api_of(tmp_path, task(), task("other")) as api:
        one = await start(api)
        await api.bed.until(EventKind.RUN_STARTED, RunId(one))
        streams = [
            follow(api, "?task_name=other"),
            follow(api, f"?run_id={one}"),
            follow(api, "?kind=run.ended&kind=store.failed&task_name=job"),
        ]
        for stream in streams:
            await stream.start()

        two, other = await start(api), await start(api, "other")
        for run_id in (two, other):  # an end would be told after its start, and so perhaps not in this order
            await api.bed.until(EventKind.RUN_STARTED, RunId(run_id))
        for run_id in (two, one, other):
            api.bed.keeper.end(RunId(run_id))

        firsts = [await stream.event() for stream in streams]
        assert [(each["event"], each["data"]["run"]["id"]) for each in firsts if each] == [
            ("run.created", other),
            ("run.ended", one),
            ("run.ended", two),
        ]
        for stream in streams:
            stream.hang_up()
            await stream.over()


async def test_a_reader_that_comes_back_hears_what_it_missed(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        stream = follow(api)
        await stream.start()
        first = await start(api)
        seen = await stream.event()
        assert seen is not None
        stream.hang_up()
        await stream.over()
        api.bed.keeper.end((await api.bed.keeper.next_spawn()).run_id)
        await api.bed.until(EventKind.RUN_ENDED)

        again = follow(api, after=seen["id"])
        await again.start()

        told = [await again.event() for _ in range(2)]
        assert [each["event"] for each in told if each] == ["run.started", "run.ended"]
        assert {each["data"]["run"]["id"] for each in told if each} == {first}
        again.hang_up()
        await again.over()


async def test_a_gap_says_that_events_are_no_longer_known(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        await start(api)
        await api.bed.until(EventKind.RUN_STARTED)

        stream = follow(api, after="0")
        await stream.start()

        gap = await stream.event()
        assert gap is not None
        assert gap["event"] in ("gap", "keeper.ready")  # id 0 is before the first of this store
        stream.hang_up()
        await stream.over()
        later = follow(api, after="999999")
        await later.start()
        unknown = await later.event()
        assert unknown is not None
        assert (unknown["event"], "id" in unknown) == ("gap", False)
        assert unknown["data"]["first_available"] >= 1
        later.hang_up()
        await later.over()


async def test_a_silent_stream_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_events, "HEARTBEAT", 0.01)
    async with api_of(tmp_path, task()) as api:
        stream = follow(api)
        await stream.start()

        pieces = [await stream.piece() for _ in range(3)]

        assert pieces == [b"retry: 1000\n\n", b": alive\n\n", b": alive\n\n"]
        stream.hang_up()
        await stream.over()


async def test_a_server_that_stops_says_so_and_ends_the_stream(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        stream = follow(api)
        await stream.start()

        api.bed.bus.close()

        closing = await stream.event()
        assert closing is not None
        assert closing["event"] == "closing"
        assert await stream.event() is None
        await stream.over()


async def test_a_reader_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        before = sum(len(group) for group in api.bed.bus._subscriptions.values())
        stream = follow(api)
        await stream.start()
        assert sum(len(group) for group in api.bed.bus._subscriptions.values()) == before + 1

        stream.hang_up()
        await stream.over()

        assert sum(len(group) for group in api.bed.bus._subscriptions.values()) == before


async def test_head_of_the_stream_ends_with_its_headers(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.head("/api/events")

        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")


@pytest.mark.parametrize("query", ["?kind=run.finished", "?run_id=7", "?task_name=a%20b", "?since=5"])
async def test_a_filter_that_cannot_be_meant_is_a_fault(tmp_path: Path, query: str) -> None:
    async with api_of(tmp_path, task()) as api:
        assert (await api.tcp.get(f"/api/events{query}")).status_code == 422
        assert (await api.tcp.get("/api/events", headers={"Last-Event-ID": "x"})).status_code == 422
