"""A run's log as lines, by REST: where a page begins, what is new, what matches, and what lines look like."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import URL, api_of
from sample_logs import ERR, OUT, WORDS, SampleLog, write_log
from test_api_reading import NOBODY, ended_run, task

from rota.logs import place
from rota.logs.index import ENTRY
from rota.logs.searchers import Searchers
from rota.model.event import EventKind
from rota.operations import read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from api_bed import Api


async def page(api: Api, run_id: str, query: str | Mapping[str, Any] = "") -> dict[str, Any]:
    params = (
        dict(each.split("=", 1) for each in query.split("&") if each) if isinstance(query, str) else query
    )
    answer = await api.tcp.get(f"/api/runs/{run_id}/log", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def numbers(page: dict[str, Any]) -> list[int]:
    return [line["n"] for line in page["lines"]]


def texts(page: dict[str, Any]) -> list[str]:
    return [line["text"] for line in page["lines"]]


async def running(api: Api) -> str:
    run_id: str = (await api.tcp.post("/api/tasks/job/run")).json()["id"]
    await api.bed.until(EventKind.RUN_STARTED, run_id)  # type: ignore[arg-type]
    return run_id


async def test_a_page_has_lines_of_all_streams_with_number_and_time(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(
            tmp_path,
            run_id,
            (OUT, "one\ntw"),
            (ERR, "oops\n"),
            (OUT, "o\n"),
            (WORDS, "stopped by api"),
            (ERR, "rest"),
        )

        it = await page(api, run_id)

        assert it["$schema"] == f"{URL}/schemas/LogPage.json"
        assert [(line["n"], line["stream"], line["text"]) for line in it["lines"]] == [
            (1, "stdout", "one"),
            (2, "stderr", "oops"),
            (3, "stdout", "two"),
            (4, "system", "stopped by api"),
            (5, "stderr", "rest"),
        ]
        assert [line["at"] for line in it["lines"]] == [
            f"2026-03-02T12:00:0{second}.000000Z" for second in (0, 1, 2, 4, 4)
        ]
        assert (it["total_lines"], it["first_available"], it["finalized"]) == (5, 1, True)
        assert (it["truncated"], it["open"], it["next_cursor"], it["stopped_early"]) == (
            False,
            None,
            None,
            False,
        )


async def test_a_run_without_output_has_an_empty_page_and_an_unknown_one_is_not_found(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        it = await page(api, await ended_run(api))

        assert (it["lines"], it["total_lines"], it["finalized"], it["next_cursor"]) == ([], 0, True, None)
        assert (await api.tcp.get(f"/api/runs/{NOBODY}/log")).status_code == 404


async def test_a_page_begins_where_it_is_told_to(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        pieces = [(OUT if n % 3 else ERR, f"line {n}\n") for n in range(1, 101)]
        write_log(tmp_path, run_id, *pieces)

        assert numbers(await page(api, run_id, "from=98")) == [98, 99, 100]
        assert numbers(await page(api, run_id, "from=98&limit=2")) == [98, 99]
        assert numbers(await page(api, run_id, "from=101")) == []
        assert numbers(await page(api, run_id, "tail=2")) == [99, 100]
        assert numbers(await page(api, run_id, "tail=0")) == []
        assert numbers(await page(api, run_id, "tail=2&stream=stderr")) == [96, 99]
        assert numbers(await page(api, run_id, "from=5&stream=stderr&limit=3")) == [6, 9, 12]
        assert numbers(await page(api, run_id, "from_at=2026-03-02T12:01:37Z")) == [98, 99, 100]
        assert numbers(await page(api, run_id, "from_at=2030-01-01T00:00:00Z")) == []
        assert len(numbers(await page(api, run_id, "from_at=1971-01-01T00:00:00Z"))) == 100


async def test_pages_follow_each_other_by_cursor_also_while_the_log_grows(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        log = SampleLog(tmp_path, run_id)
        log.write(OUT, "one\ntwo\npart")

        first = await page(api, run_id, "limit=1")
        second = await page(api, run_id, {"since": first["next_cursor"], "progress": "true"})
        third = await page(api, run_id, {"since": second["next_cursor"]})
        log.write(ERR, "between\n").write(OUT, "ial\nfour\n")
        fourth = await page(api, run_id, {"since": third["next_cursor"]})
        log.end()
        api.bed.keeper.end(run_id)  # type: ignore[arg-type]
        await api.bed.until(EventKind.RUN_ENDED, run_id)  # type: ignore[arg-type]
        last = await page(api, run_id, {"since": fourth["next_cursor"]})

        assert [texts(each) for each in (first, second, third, fourth, last)] == [
            ["one"], ["two"], [], ["between", "partial", "four"], [],
        ]  # fmt: skip
        assert second["open"] == [{"at": "2026-03-02T12:00:00.000000Z", "stream": "stdout", "text": "part"}]
        assert fourth["finalized"] is False
        assert (last["finalized"], last["next_cursor"]) == (True, None)


async def test_an_over_long_line_comes_in_marked_pieces(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        long = ("é" * 5_000_000).encode()  # 10 MB
        write_log(tmp_path, run_id, (OUT, "before\n"), (OUT, long + b"\n"), (OUT, "after"))

        pieces: list[dict[str, Any]] = []
        cursor: dict[str, str] | None = {"limit": "1"}
        while cursor is not None:
            it = await page(api, run_id, cursor)
            pieces += it["lines"]
            following = it["next_cursor"]
            cursor = None if following is None else {"since": following, "max_bytes": "5000000"}
        tail = await page(api, run_id, "tail=2&max_bytes=1024")

        assert [piece["n"] for piece in pieces] == [1, *[2] * (len(pieces) - 2), 3]
        assert "".join(piece["text"] for piece in pieces[1:-1]) == "é" * 5_000_000
        assert [piece["continued"] for piece in pieces] == [False, *[True] * (len(pieces) - 3), False, False]
        assert all(len(piece["text"].encode()) <= 65_536 for piece in pieces)
        assert (texts(tail)[-1], numbers(tail)) == ("after", [2, 3])


async def test_max_bytes_ends_a_page_but_not_before_its_first_line(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "x" * 3000 + "\n" + "y\n" * 900))

        first = await page(api, run_id, "max_bytes=1024")
        rest = await page(api, run_id, {"since": first["next_cursor"], "max_bytes": "3000"})

        assert [len(text) for text in texts(first)] == [1024]
        assert [len(text) for text in texts(rest)] == [1976] + [1] * 499
        assert (first["lines"][0]["continued"], rest["lines"][0]["continued"]) == (True, False)


async def test_text_is_readable_whatever_was_written(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(
            tmp_path,
            run_id,
            (OUT, b"bad \xff\xfe nul \0 end\r\n"),
            (OUT, b" 10%\r 50%\r100%\n"),
            (ERR, b"\x1b[31mred\x1b[0m\n"),
            (OUT, b"1%\r2%\r3%"),
        )

        kept = await page(api, run_id)
        stripped = await page(api, run_id, "ansi=strip")

        assert texts(kept) == ["bad \ufffd\ufffd nul \0 end", "100%", "\x1b[31mred\x1b[0m", "3%"]
        assert texts(stripped)[2] == "red"


async def test_progress_tells_what_is_being_written(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await running(api)
        SampleLog(tmp_path, run_id).write(OUT, "0%").write(ERR, "Really? ").write(OUT, "\r50%")

        it = await page(api, run_id, "progress=true")
        without = await page(api, run_id)

        assert [(line["stream"], line["text"]) for line in it["open"]] == [
            ("stdout", "50%"),
            ("stderr", "Really? "),
        ]
        assert (it["lines"], it["total_lines"], without["open"]) == ([], 0, None)


async def test_a_log_cut_by_a_kill_is_complete(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = SampleLog(tmp_path, run_id)
        log.write(OUT, "one\n").write(ERR, "tw").write(OUT, "three\nfour")
        log.die()
        index = tmp_path / "runs" / run_id[:7] / (run_id + place.INDEX)
        os.truncate(index, 2 * ENTRY.size + 20)  # the last entry was half written

        it = await page(api, run_id)

        assert [(line["stream"], line["text"]) for line in it["lines"]] == [
            ("stdout", "one"), ("stdout", "three"), ("stdout", "four"), ("stderr", "tw"),
        ]  # fmt: skip


async def test_a_log_whose_beginning_was_dropped_says_what_went(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = SampleLog(tmp_path, run_id, cap=40_000)
        for n in range(1, 1001):
            log.write(OUT, f"line {n} {'x' * 90}\n")
        log.end()

        it = await page(api, run_id, "limit=1")
        tail = await page(api, run_id, "tail=2")

        first = it["first_available"]
        assert first > 1
        assert (it["truncated"], it["dropped_lines"], numbers(it)) == (True, first - 1, [first])
        assert it["dropped_bytes"] == sum(len(f"line {n} {'x' * 90}\n") for n in range(1, first))
        assert it["lines"][0]["text"].startswith(f"line {first} ")
        assert tail["lines"][0]["text"].startswith("line 1000 ")
        assert tail["lines"][1]["stream"] == "system"


async def test_grep_gives_the_lines_that_match_with_those_around_them(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(
            tmp_path, run_id, *((OUT, f"line {n}{' Error' if n % 10 == 0 else ''}\n") for n in range(1, 101))
        )
        try:
            plain = await page(api, run_id, "grep=Error&limit=2")
            second = await page(api, run_id, {"grep": "Error", "limit": "2", "since": plain["next_cursor"]})
            around = await page(api, run_id, "grep=line 20&before=2&after=1")
            tail = await page(api, run_id, "grep=ERROR&case=false&tail=2")
            regex = await page(api, run_id, {"grep": r"^line [1-3]$", "regex": "true"})
            none = await page(api, run_id, "grep=nothing")
            near = await page(api, run_id, "grep=line 99&after=5")
        finally:
            await api.rota.searchers.close()

        assert numbers(plain) == [10, 20]
        assert numbers(second) == [30, 40]
        assert [(line["n"], line["match"]) for line in around["lines"]] == [
            (18, False), (19, False), (20, True), (21, False),
        ]  # fmt: skip
        assert numbers(tail) == [90, 100]
        assert numbers(regex) == [1, 2, 3]
        assert (none["lines"], none["next_cursor"]) == ([], None)
        assert numbers(near) == [99, 100]


async def test_grep_sees_lines_as_readers_do_within_a_stream(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(
            tmp_path,
            run_id,
            (OUT, "a need"),
            (ERR, "another line\n"),
            (OUT, "le here\n"),
            (OUT, "half a need"),
            (ERR, "le of another stream\n"),
            (OUT, "\n"),
            (OUT, b"\x1b[1mnee\x1b[0mdle\n"),
            (OUT, b"needle\rgone..\n"),
        )
        try:
            it = await page(api, run_id, "grep=needle&ansi=strip")
        finally:
            await api.rota.searchers.close()

        assert texts(it) == ["a needle here", "needle"]


async def test_grep_that_takes_too_long_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\n"))
        try:
            monkeypatch.setattr(read_lines, "BUDGET", 0.0)
            early = await page(api, run_id, "grep=needle")
            monkeypatch.setattr(read_lines, "BUDGET", 10.0)
            rest = await page(api, run_id, {"grep": "needle", "since": early["next_cursor"]})
        finally:
            await api.rota.searchers.close()

        assert (early["lines"], early["stopped_early"]) == ([], True)
        assert (texts(rest), rest["stopped_early"]) == (["needle"], False)


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("from=0", "query.from"),
        ("limit=0", "query.limit"),
        ("limit=10001", "query.limit"),
        ("tail=-1", "query.tail"),
        ("tail=5&limit=5", "query.limit"),
        ("tail=5&from=5", "query.tail"),
        ("since=nonsense", "query.since"),
        ("since=MDAwMDAwMDAwMDAwLjEuMA", "query.since"),
        ("stream=all", "query.stream.0"),
        ("ansi=html", "query.ansi"),
        ("max_bytes=100", "query.max_bytes"),
        ("regex=true", "query.regex"),
        ("before=1", "query.before"),
        ("grep=(&regex=true", "query.grep"),
        ("grep=(%3F%3Da)&regex=true", "query.grep"),
        ("grep=", "query.grep"),
        ("grep=a%0Ab", "query.grep"),
        ("lines=5", "query.lines"),
    ],
)
async def test_what_cannot_be_meant_is_a_fault(tmp_path: Path, query: str, location: str) -> None:
    async with api_of(tmp_path, task()) as api:
        answer = await api.tcp.get(f"/api/runs/{await ended_run(api)}/log?{query}")

        assert answer.status_code == 422, answer.text
        assert [fault["location"] for fault in answer.json()["errors"]] == [location]
        assert not api.rota.searchers._idle


async def test_an_expression_that_would_take_for_ever_elsewhere_is_answered(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "a" * 5000 + "\n" + "a" * 5000 + "b\n"))
        try:
            it = await page(api, run_id, {"grep": "^(a+)+$", "regex": "true"})
        finally:
            await api.rota.searchers.close()

        assert numbers(it) == [1]


async def test_a_searcher_that_dies_is_told_and_the_next_search_has_another(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "needle\n"))
        searchers: Searchers = api.rota.searchers
        try:
            await page(api, run_id, "grep=needle")
            [process] = searchers._idle
            process.kill()

            after = await page(api, run_id, "grep=needle")
            if after["stopped_early"]:  # its death was not noticed yet
                after = await page(api, run_id, {"grep": "needle", "since": after["next_cursor"]})
        finally:
            await searchers.close()

        assert texts(after) == ["needle"]
