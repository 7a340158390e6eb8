"""Searching the logs of many runs: newest first, in pages, as far as time allows, holding nobody up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import URL, Conversation, api_of
from engine_bed import PATIENCE
from sample_logs import ERR, OUT, write_log
from test_api_reading import ended_run, task

from rota.config.config import Config
from rota.logs import searchers as pool
from rota.logs.pattern import Wanted
from rota.operations import search_logs

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from api_bed import Api

    from rota.model.task import Task


@asynccontextmanager
async def searching(data: Path, *tasks: Task) -> AsyncIterator[Api]:
    async with api_of(data, *tasks) as api:
        try:
            yield api
        finally:
            await api.rota.searchers.close()


async def found(api: Api, path: str = "/api/log/search", **query: str) -> dict[str, Any]:
    answer = await api.tcp.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def places(matches: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["run_id"], each["line"]["n"]) for each in matches["items"]]


async def test_a_search_goes_through_all_runs_newest_first(tmp_path: Path) -> None:
    async with searching(tmp_path, task(), task("other")) as api:
        old, silent, new = [await ended_run(api) for _ in range(3)]
        other = await ended_run(api, "other")
        write_log(tmp_path, old, (OUT, "a needle\nhay\n"), (ERR, "needles\n"))
        write_log(tmp_path, new, (OUT, "hay\na nee"), (ERR, "hay\n"), (OUT, "dle\n"))
        write_log(tmp_path, other, (OUT, "needle elsewhere\n"))

        everywhere = await found(api, q="needle")
        in_task = await found(api, "/api/tasks/job/log/search", q="needle", stream="stdout")

        assert everywhere["$schema"] == f"{URL}/schemas/LogMatches.json"
        assert places(everywhere) == [(other, 1), (new, 3), (old, 1), (old, 3)]
        assert places(in_task) == [(new, 3), (old, 1)]
        assert [each["task_name"] for each in everywhere["items"]] == ["other", "job", "job", "job"]
        assert everywhere["items"][1]["line"] == {
            "n": 3, "at": "2026-03-02T12:00:02.000000Z", "stream": "stdout", "text": "a needle",
            "continued": False, "match": True,
        }  # fmt: skip
        assert (everywhere["stopped"], everywhere["next_cursor"], everywhere["runs"]) == (None, None, 4)
        assert everywhere["reached"]["run_id"] == old
        assert silent != old


async def test_a_search_goes_on_with_its_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_logs, "BATCH", 2)
    async with searching(tmp_path, task()) as api:
        run_ids = [await ended_run(api) for _ in range(5)]
        for run_id in run_ids:
            write_log(tmp_path, run_id, (OUT, "needle 1\nhay\nneedle 2\nneedle 3\n"))

        got, cursor, stops = [], {}, []
        while True:
            it = await found(api, q="needle", limit="2", **cursor)
            got += places(it)
            stops.append(it["stopped"])
            if it["next_cursor"] is None:
                break
            cursor = {"cursor": it["next_cursor"]}

        assert got == [(run_id, n) for run_id in run_ids[::-1] for n in (1, 3, 4)]
        assert stops == ["limit"] * (len(stops) - 1) + [None]


async def test_a_search_that_runs_out_of_time_says_how_far_it_got(tmp_path: Path) -> None:
    async with searching(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\n"))
        wanted = search_logs.SearchWanted(wanted=Wanted(text="needle"), budget=0.0)

        early = await search_logs.search_logs(api.rota, wanted)
        assert early.next_cursor is not None
        rest = await found(api, q="needle", cursor=early.next_cursor)

        assert (early.items, early.stopped) == ([], "time")
        assert early.reached is not None
        assert early.reached.id == run_id
        assert places(rest) == [(run_id, 1)]


async def test_a_cursor_of_another_search_and_a_bad_pattern_are_faults(tmp_path: Path) -> None:
    async with searching(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\nneedle\n"))
        cursor = (await found(api, q="needle", limit="1"))["next_cursor"]

        for query, location in (
            ({"q": "other", "cursor": cursor}, "query.cursor"),
            ({"q": "needle", "cursor": "nonsense"}, "query.cursor"),
            ({"q": "[", "regex": "true"}, "query.q"),
            ({"q": ""}, "query.q"),
            ({}, "query.q"),
            ({"q": "x", "budget": "61"}, "query.budget"),
            ({"q": "x", "tail": "1"}, "query.tail"),
        ):
            answer = await api.tcp.get("/api/log/search", params=query)
            assert answer.status_code == 422
            assert [fault["location"] for fault in answer.json()["errors"]] == [location]
        assert (await api.tcp.get("/api/tasks/nobody/log/search?q=x")).status_code == 404


async def test_logs_of_a_task_that_is_no_longer_defined_are_searched(tmp_path: Path) -> None:
    async with searching(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\n"))
        await api.bed.engine.reloading.reload(Config())

        assert places(await found(api, "/api/tasks/job/log/search", q="needle")) == [(run_id, 1)]


async def test_a_client_that_leaves_ends_its_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = asyncio.Event()
    processes = []

    async def ask(process: Process, _asked: object) -> None:
        processes.append(process)
        started.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(pool, "_ask", ask)
    async with searching(tmp_path, task()) as api:
        await ended_run(api)
        conversation = Conversation(api.app, "GET", "/api/log/search?q=needle")
        await asyncio.wait_for(started.wait(), PATIENCE)

        conversation.hang_up()
        await conversation.over()

        assert processes[0].returncode == -9
        assert not api.rota.searchers._idle


async def test_a_search_that_is_stuck_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "PATIENCE", 0.0)

    async def ask(_process: Process, _asked: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(pool, "_ask", ask)
    async with searching(tmp_path, task()) as api:
        await ended_run(api)

        it = await found(api, q="needle", budget="1")

        assert (it["items"], it["stopped"]) == ([], "time")
        assert it["next_cursor"] is not None
        assert not api.rota.searchers._idle


async def test_few_searches_are_done_at_a_time_and_their_processes_leave_when_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE", 0.05)
    async with searching(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\n"))

        answers = await asyncio.gather(*(found(api, q="needle") for _ in range(6)))
        processes = list(api.rota.searchers._idle)

        assert all(places(answer) == [(run_id, 1)] for answer in answers)
        assert 1 <= len(processes) <= pool.MOST
        for process in processes:
            assert await asyncio.wait_for(process.wait(), 10) == 0
