"""A log followed as it is written: nothing is lost, nobody is waited for, and its end is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import Conversation, api_of
from engine_bed import PATIENCE
from sample_logs import ERR, OUT, WORDS, SampleLog, write_log
from test_api_reading import NOBODY, ended_run, task

from rota.api.routes import follow_log
from rota.logs import live
from rota.model.event import EventKind

if TYPE_CHECKING:
    from pathlib import Path

    from api_bed import Api

    from rota.model.run import RunId


class Stream:
    """One reader of a log, event by event."""

    def __init__(self, api: Api, run_id: str, query: str = "", after: str | None = None) -> None:
        headers = {} if after is None else {"Last-Event-ID": after}
        self.conversation = Conversation(api.app, "GET", f"/api/runs/{run_id}/log/stream{query}", headers)
        self._events: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        """The next event: its name, its data, and its id if it has one."""
        while not self._events:
            piece = await self.conversation.piece()
            assert piece is not None, "the stream is over"
            for text in piece.decode().strip().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in text.split("\n"))
                if "data" in fields:
                    fields["data"] = json.loads(fields["data"])
                    self._events.append(fields)
        return self._events.pop(0)

    async def lines(self, count: int) -> list[tuple[int, str]]:
        """The next lines, as number and text."""
        found: list[tuple[int, str]] = []
        while len(found) < count:
            event = await self.next()
            assert event["event"] == "line", event
            found.append((event["data"]["n"], event["data"]["text"]))
        return found

    async def rest(self) -> list[dict[str, Any]]:
        """Everything up to the end."""
        found = [await self.next()]
        while found[-1]["event"] not in ("done", "closing"):
            found.append(await self.next())
        assert await self.conversation.piece() is None
        await self.conversation.over()
        return found

    async def leave(self) -> None:
        self.conversation.hang_up()
        await self.conversation.over()


async def follow(api: Api, run_id: str, query: str = "", after: str | None = None) -> Stream:
    stream = Stream(api, run_id, query, after)
    answer = await stream.conversation.start()
    assert answer["status"] == 200
    assert (b"content-type", b"text/event-stream") in answer["headers"]
    return stream


async def running(api: Api) -> RunId:
    run_id: RunId = (await api.tcp.post("/api/tasks/job/run")).json()["id"]
    await api.bed.until(EventKind.RUN_STARTED, run_id)
    return run_id


async def test_lines_come_as_they_are_written_and_the_end_is_told(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id).write(OUT, "one\ntw")
        stream = await follow(api, run_id)
        first = await stream.next()
        log.write(ERR, "oops\n").write(OUT, "o\n")
        then = await stream.lines(2)
        log.write(OUT, "last").write(WORDS, "stopped by api").end()
        api.bed.keeper.end(run_id, 3)
        rest = await stream.rest()

        assert (first["event"], first["id"]) == ("line", "1")
        assert first["data"] == {
            "n": 1, "at": "2026-03-02T12:00:00.000000Z", "stream": "stdout", "text": "one",
            "continued": False, "match": None,
        }  # fmt: skip
        assert then == [(2, "oops"), (3, "two")]
        assert [(event["data"]["n"], event["data"]["text"]) for event in rest[:-1]] == [
            (4, "last"), (5, "stopped by api"),
        ]  # fmt: skip
        done = rest[-1]["data"]
        assert (done["total_lines"], done["status"], done["end_reason"]) == (5, "ended", "failed")
        assert done["$schema"].endswith("/schemas/LogDone.json")


async def test_a_log_that_does_not_exist_yet_is_waited_for(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        stream = await follow(api, run_id)

        SampleLog(tmp_path, run_id).write(OUT, "at last\n")

        assert await stream.lines(1) == [(1, "at last")]
        await stream.leave()


async def test_an_ended_log_is_told_whole_or_from_a_line_on(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, *((OUT if n % 2 else ERR, f"line {n}\n") for n in range(1, 3001)))

        async def told(query: str, after: str | None = None) -> list[int]:
            events = await (await follow(api, run_id, query, after)).rest()
            assert (events[-1]["event"], events[-1]["data"]["total_lines"]) == ("done", 3000)
            return [event["data"]["n"] for event in events[:-1]]

        assert await told("") == list(range(1, 3001))
        assert await told("?from=2999") == [2999, 3000]
        assert await told("?from=5000") == []
        assert await told("?tail=2") == [2999, 3000]
        assert await told("?tail=0") == []
        assert await told("?tail=2&stream=stdout") == [2997, 2999]
        assert await told("?from=5", after="2998") == [2999, 3000]


async def test_a_reader_that_comes_back_gets_the_rest(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id).write(OUT, "one\ntwo\n")
        stream = await follow(api, run_id)
        await stream.lines(2)
        await stream.leave()
        log.write(OUT, "three\n")

        again = await follow(api, run_id, after="2")
        log.write(OUT, "four\n")

        assert await again.lines(2) == [(3, "three"), (4, "four")]
        await again.leave()


async def test_readers_see_what_they_asked_for(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id).write(OUT, "before\n")
        streams = [
            await follow(api, run_id, query)
            for query in ("?stream=stderr", "?ansi=strip&tail=0", "?tail=0", "?from=4")
        ]
        while len(api.rota.live_logs._live[run_id]._attached) < 4:
            await asyncio.sleep(0.001)

        log.write(OUT, b"\x1b[31mred\x1b[0m\n").write(ERR, "err\n").write(OUT, "four\n")

        assert await streams[0].lines(1) == [(3, "err")]
        assert await streams[1].lines(2) == [(2, "red"), (3, "err")]
        assert await streams[2].lines(2) == [(2, "\x1b[31mred\x1b[0m"), (3, "err")]
        assert await streams[3].lines(1) == [(4, "four")]
        for stream in streams:
            await stream.leave()
        assert not api.rota.live_logs._live


async def test_progress_is_told_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PROGRESS", 0.0)
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id).write(OUT, "10%")
        stream = await follow(api, run_id, "?progress=true")
        at_first = await stream.next()
        log.write(OUT, "\r90%")
        later = await stream.next()
        log.write(OUT, "\r100%\n")
        line = await stream.next()
        after = await stream.next()

        assert [each["text"] for each in at_first["data"]["open"]] == ["10%"]
        assert [each["text"] for each in later["data"]["open"]] == ["90%"]
        assert (line["event"], line["data"]["text"]) == ("line", "100%")
        assert (after["event"], after["data"]["open"]) == ("progress", [])
        await stream.leave()


async def test_an_over_long_line_comes_in_pieces_and_only_its_last_has_an_id(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id)
        stream = await follow(api, run_id)
        text = "".join(f"{n:07}," for n in range(100_000))

        log.write(OUT, text + "\nafter\n")
        pieces = [await stream.next()]
        while pieces[-1]["data"]["continued"]:
            pieces.append(await stream.next())

        assert "".join(piece["data"]["text"] for piece in pieces) == text
        assert [piece.get("id") for piece in pieces] == [None] * (len(pieces) - 1) + ["1"]
        assert await stream.lines(1) == [(2, "after")]
        await stream.leave()


async def test_lines_that_were_dropped_to_keep_a_cap_are_told(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = SampleLog(tmp_path, run_id, cap=40_000)
        for n in range(1, 1001):
            log.write(OUT, f"line {n} {'x' * 90}\n")
        log.end()

        events = await (await follow(api, run_id)).rest()

        dropped = events[0]
        assert (dropped["event"], dropped["data"]["first"]) == ("dropped", 1)
        assert dropped["id"] == str(dropped["data"]["last"])
        assert events[1]["data"]["n"] == dropped["data"]["last"] + 1


async def test_many_readers_of_one_run_cost_one_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id)
        streams = [await follow(api, run_id) for _ in range(50)]
        written = []
        encode = follow_log.LogStream._events
        monkeypatch.setattr(
            follow_log.LogStream, "_events", lambda self, news: written.append(news) or encode(self, news)
        )
        [hub] = api.rota.live_logs._live.values()
        while len(hub._attached) < 50:
            await asyncio.sleep(0.001)

        log.write(OUT, "for all\n")

        assert [await stream.lines(1) for stream in streams] == [[(1, "for all")]] * 50
        assert len(written) == 1
        for stream in streams:
            await stream.leave()


async def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        SampleLog(tmp_path, run_id).write(OUT, "one\nopen")
        stream = await follow(api, run_id)
        await stream.lines(1)

        api.bed.bus.close()

        assert [event["event"] for event in await stream.rest()] == ["closing"]


async def test_a_silent_stream_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_log, "HEARTBEAT", 0.01)
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id)
        stream = await follow(api, run_id)

        pieces = [await stream.conversation.piece() for _ in range(3)]
        log.write(OUT, "one\n")
        while (piece := await stream.conversation.piece()) == b": alive\n\n":
            pass

        assert pieces == [b"retry: 1000\n\n", b": alive\n\n", b": alive\n\n"]
        assert piece is not None
        assert piece.startswith(b"id: 1\nevent: line\n")
        await stream.leave()


@pytest.mark.parametrize("query", ["?from=0", "?tail=5&from=1", "?limit=5", "?stream=x", "?tail=10001"])
async def test_what_cannot_be_meant_is_a_fault(tmp_path: Path, query: str) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)

        assert (await api.tcp.get(f"/api/runs/{run_id}/log/stream{query}")).status_code == 422
        assert (await api.tcp.get(f"/api/runs/{NOBODY}/log/stream")).status_code == 404
        assert not api.rota.live_logs._live


async def test_a_head_request_follows_nothing(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)

        head = await asyncio.wait_for(api.tcp.head(f"/api/runs/{run_id}/log/stream"), PATIENCE)

        assert (head.status_code, head.content) == (200, b"")
        assert not api.rota.live_logs._live
