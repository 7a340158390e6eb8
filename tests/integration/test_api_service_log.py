"""The log of a service: over lives and instances, in the order of arrival, from any place on, and live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import Api, Conversation, api_of
from engine_bed import settle
from sample_logs import ERR, OUT, SampleLog

from rota.model.event import EventKind
from rota.model.service import Service
from rota.model.task import Task
from rota.operations.read_service_log import Place

if TYPE_CHECKING:
    from rota.model.run import RunId


def service(**fields: object) -> Service:
    return Service(life=Task(name="web", run="serve", max_concurrent=1024), **fields)  # type: ignore[arg-type]


async def lives(api: Api, count: int) -> list[SampleLog]:
    """The lives that begin next, each with its log."""
    runs = [(await api.bed.keeper.next_spawn()).run_id for _ in range(count)]
    for run_id in runs:
        await api.bed.until(EventKind.RUN_STARTED, run_id)
    await settle()
    return [SampleLog(api.bed.data, run_id) for run_id in runs]


async def end(api: Api, log: SampleLog) -> None:
    """A life ends when its last line was written, and another follows."""
    log.end()
    api.bed.keeper.now = api.bed.clock.now()
    api.bed.keeper.end(log.run_id, 0)  # type: ignore[arg-type]
    await api.bed.until(EventKind.RUN_ENDED, log.run_id)  # type: ignore[arg-type]
    await settle()
    await api.bed.tick(1)


async def page(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.tcp.get(f"/api/services/web/log{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def texts(found: dict[str, Any]) -> list[tuple[int, str]]:
    return [(each["instance_index"], each["line"]["text"]) for each in found["lines"]]


async def test_lines_of_instances_come_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(instances=2)) as api:
        first, second = await lives(api, 2)
        first.write(OUT, "a\n").write(OUT, "c\n")
        second.write(ERR, "b\n")
        second.now += 5_000_000
        second.write(OUT, "d\n")

        found = await page(api)

        assert texts(found) == [(0, "a"), (1, "b"), (0, "c"), (1, "d")]
        assert [each["line"]["stream"] for each in found["lines"]] == ["stdout", "stderr", "stdout", "stdout"]
        assert [each["run_id"] for each in found["lines"]][:2] == [first.run_id, second.run_id]
        assert texts(await page(api, "?instance=1")) == [(1, "b"), (1, "d")]
        assert texts(await page(api, "?stream=stderr")) == [(1, "b")]
        assert texts(await page(api, "?limit=2")) == [(0, "c"), (1, "d")]
        assert texts(await page(api, "?from_at=2026-03-02T12:00:01Z")) == [(0, "c"), (1, "d")]


async def test_the_last_lines_reach_back_over_lives(tmp_path: Path) -> None:
    async with api_of(tmp_path, service()) as api:
        [first] = await lives(api, 1)
        first.write(OUT, "one\ntwo\n")
        await end(api, first)
        [second] = await lives(api, 1)
        second.now = first.now
        second.write(OUT, "three\n")

        assert texts(await page(api)) == [(0, "one"), (0, "two"), (0, "three")]
        assert texts(await page(api, "?limit=2")) == [(0, "two"), (0, "three")]


async def test_what_is_new_is_read_on_over_new_lives_a_page_at_a_time(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(instances=2)) as api:
        first, second = await lives(api, 2)
        first.write(OUT, "old\n")
        before = await page(api)

        first.write(OUT, "a\nb\n")
        second.now = first.now
        second.write(OUT, "c\n")
        await end(api, first)
        [third] = await lives(api, 1)
        third.now = second.now
        third.write(OUT, "d\n")

        read: list[tuple[int, str]] = []
        more, cursor = True, before["next_cursor"]
        while more:
            found = await page(api, f"?limit=1&since={cursor}")
            assert len(found["lines"]) <= 1
            read += texts(found)
            more, cursor = found["more"], found["next_cursor"]
        assert read == [(0, "a"), (0, "b"), (1, "c"), (0, "d")]
        assert texts(await page(api, f"?since={cursor}")) == []
        third.write(OUT, "e\n")
        assert texts(await page(api, f"?since={cursor}")) == [(0, "e")]


async def test_nothing_is_new_and_limit_0_gives_a_place_to_go_on(tmp_path: Path) -> None:
    async with api_of(tmp_path, service()) as api:
        [log] = await lives(api, 1)
        log.write(OUT, "old\n")

        found = await page(api, "?limit=0")
        log.write(OUT, "new\n")

        assert texts(found) == []
        assert texts(await page(api, f"?since={found['next_cursor']}")) == [(0, "new")]


@pytest.mark.parametrize("cursor", ["nonsense", "!", Place(next={}, newest="x").write()[:-3], ""])
async def test_what_is_no_cursor_is_a_fault(tmp_path: Path, cursor: str) -> None:
    async with api_of(tmp_path, service()) as api:
        answer = await api.tcp.get("/api/services/web/log", params={"since": cursor})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["location"] == "query.since"


class Stream:
    """A reader of the stream, event by event."""

    def __init__(self, api: Api, query: str = "", after: str | None = None) -> None:
        headers = {} if after is None else {"Last-Event-ID": after}
        self.conversation = Conversation(api.app, "GET", f"/api/services/web/log/stream{query}", headers)
        self.last_id = ""
        self._has_begun = False
        self._events: list[dict[str, Any]] = []

    async def begin(self) -> None:
        """What is written from now on is told."""
        if not self._has_begun:
            self._has_begun = (await self.conversation.start())["status"] == 200

    async def next(self) -> dict[str, Any]:
        await self.begin()
        while not self._events:
            piece = await self.conversation.piece()
            assert piece is not None, "the stream is over"
            for text in piece.decode().strip().split("\n\n"):
                fields: dict[str, Any] = dict(line.split(": ", 1) for line in text.split("\n"))
                if "data" in fields:
                    fields["data"] = json.loads(fields["data"])
                    self._events.append(fields)
        event = self._events.pop(0)
        self.last_id = event.get("id", self.last_id)
        return event

    async def line(self) -> tuple[int, str]:
        event = await self.next()
        assert event["event"] == "line", event
        return event["data"]["instance_index"], event["data"]["line"]["text"]

    async def life(self) -> tuple[RunId, str]:
        event = await self.next()
        assert event["event"] == "life", event
        return event["data"]["run_id"], event["data"]["status"]

    async def leave(self) -> None:
        self.conversation.hang_up()
        await self.conversation.over()


async def test_a_stream_goes_on_over_lives_and_tells_of_them(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(instances=2)) as api:
        first, second = await lives(api, 2)
        first.write(OUT, "before\n")
        stream = Stream(api)
        assert await stream.line() == (0, "before")

        second.write(OUT, "while\n")
        assert await stream.line() == (1, "while")
        first.write(OUT, "last\n")
        assert await stream.line() == (0, "last")
        await end(api, first)
        assert await stream.life() == (first.run_id, "ended")
        [third] = await lives(api, 1)
        assert await stream.life() == (third.run_id, "pending")
        third.write(OUT, "again\n")
        assert await stream.line() == (0, "again")
        await stream.leave()


async def test_who_comes_back_misses_nothing(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(instances=2)) as api:
        first, second = await lives(api, 2)
        stream = Stream(api, "?tail=0")
        await stream.begin()
        second.write(OUT, "seen\n")
        assert await stream.line() == (1, "seen")
        await stream.leave()

        first.write(OUT, "a\n")
        second.now = first.now
        second.write(OUT, "b\n")
        await end(api, first)
        [third] = await lives(api, 1)
        third.now = second.now
        third.write(OUT, "c\n")
        again = Stream(api, after=stream.last_id)

        assert [await again.line() for _ in range(3)] == [(0, "a"), (1, "b"), (0, "c")]
        third.write(OUT, "d\n")
        assert await again.line() == (0, "d")
        await again.leave()


async def test_a_stream_of_one_instance_tells_of_no_other(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(instances=2)) as api:
        first, second = await lives(api, 2)
        stream = Stream(api, "?instance=1&tail=0")
        await stream.begin()

        first.write(OUT, "not me\n")
        second.write(OUT, "me\n")

        assert await stream.line() == (1, "me")
        await stream.leave()


async def test_the_servers_end_closes_a_stream_also_of_a_service_that_does_not_live(tmp_path: Path) -> None:
    async with api_of(tmp_path, service(autostart=False)) as api:
        stream = Stream(api)
        await settle()

        api.bed.bus.close()

        assert (await stream.next())["event"] == "closing"
        await stream.conversation.over()


async def test_a_services_log_is_searched_by_its_own_route(tmp_path: Path) -> None:
    async with api_of(tmp_path, service()) as api:
        [log] = await lives(api, 1)
        log.write(OUT, "a needle\nhay\n")

        found = (await api.tcp.get("/api/services/web/log/search?q=needle")).json()
        nowhere = await api.tcp.get("/api/services/wbe/log/search?q=needle")

        assert [each["line"]["text"] for each in found["items"]] == ["a needle"]
        assert nowhere.status_code == 404
