"""Input over REST, to real processes: taken whole, or refused with what is wrong."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import TOKEN, Api
from engine_bed import Bed

from rota.keeper.finding import find_keeper, shutdown_keeper
from rota.model.event import EventKind
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from httpx2 import Response

ABSENT = "/api/runs/01998000-0000-7000-8000-00000000000d"
CAT = Task(name="cat", run=("cat",), stdin=True)
TERMINAL = Task(name="terminal", run=("cat",), pty=True)
DEAF = Task(name="deaf", run=("sleep", "1000"), stdin=True)
WITHOUT = Task(name="without", run=("sleep", "1000"))


class ProcessBed(Bed):
    """With the real keeper."""

    async def _open_link(self) -> Any:
        self.link = await find_keeper(self.data)
        return self.link

    async def crash(self) -> None:
        await super().crash()
        await self.link.close()


@asynccontextmanager
async def api_of(data: Path, *tasks: Task) -> AsyncIterator[Api]:
    bed = ProcessBed(data, tasks)
    await bed.start()
    api = Api(bed, TOKEN)
    try:
        yield api
    finally:
        await api.close()
        await bed.stop()
        await shutdown_keeper(data)


async def started(api: Api, task: Task) -> str:
    """The path of a run whose process lives."""
    run = await api.bed.trigger(task.name)
    await api.bed.until(EventKind.RUN_STARTED, run.id)
    return f"/api/runs/{run.id}"


async def send(api: Api, run: str, **body: Any) -> Response:
    return await api.tcp.post(f"{run}/input", json=body)


async def until_ended(api: Api, run: str) -> str:
    """What the run has written."""
    await api.bed.until(EventKind.RUN_ENDED, run.rpartition("/")[2])  # type: ignore[arg-type]
    return (await api.tcp.get(f"{run}/log/raw")).text


def problem(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def test_text_data_keys_and_the_end_reach_the_program_and_the_log_says_so(tmp_path: Path) -> None:
    async with api_of(tmp_path, CAT) as api:
        run = await started(api, CAT)

        first = await send(api, run, text="héllo")
        await send(api, run, key="enter")
        await send(api, run, data=base64.b64encode(b"\xff\n").decode())
        await send(api, run, text="s3cr3t\n", secret=True)
        last = await send(api, run, close=True)
        await api.bed.until(EventKind.RUN_ENDED)

        written = (await api.tcp.get(f"{run}/log/raw")).content
        lines = (await api.tcp.get(f"{run}/log?stream=system")).json()["lines"]
        assert first.status_code == last.status_code == 200
        assert first.json()["run_id"] == run.rpartition("/")[2]
        assert first.json()["unread"] in (0, 6)
        assert first.headers["link"] == '</schemas/InputTaken.json>; rel="describedBy"'
        assert written == "héllo\n".encode() + b"\xff\ns3cr3t\n"
        assert [line["text"] for line in lines] == [
            "api sent 'héllo'",
            "api sent enter",
            r"api sent '\udcff\n'",
            "api closed standard input",
        ]


async def test_a_terminal_is_resized_and_typed_into(tmp_path: Path) -> None:
    shell = Task(name="shell", run="read x; stty size", pty=True)
    async with api_of(tmp_path, shell) as api:
        run = await started(api, shell)

        resized = await api.tcp.post(f"{run}/resize", json={"rows": 40, "cols": 120})
        await send(api, run, text="go\r")

        assert resized.status_code == 200
        assert (resized.json()["rows"], resized.json()["cols"]) == (40, 120)
        assert (await until_ended(api, run)).endswith("40 120\r\n")


async def test_what_does_not_fit_is_refused_whole_and_says_how_much_is_unread(tmp_path: Path) -> None:
    async with api_of(tmp_path, DEAF) as api:
        run = await started(api, DEAF)

        taken = await send(api, run, text="x" * 1_000_000)
        refused = await send(api, run, text="y" * 100_000)
        again = await send(api, run, text="z")

        assert taken.json()["unread"] == 1_000_000
        assert problem(refused) == (409, "input-full")
        assert refused.json()["unread"] == 1_000_000
        assert "nothing was taken" in refused.json()["detail"]
        assert again.json()["unread"] == 1_000_001


async def test_where_nothing_can_be_sent_the_answer_says_why(tmp_path: Path) -> None:
    async with api_of(tmp_path, CAT, DEAF, WITHOUT) as api:
        without, closed, ended = [await started(api, task) for task in (WITHOUT, DEAF, CAT)]
        await send(api, closed, close=True)
        await send(api, ended, close=True)
        await api.bed.until(EventKind.RUN_ENDED)
        pending = f"/api/runs/{(await api.bed.trigger('without')).id}"
        waiting = f"/api/runs/{(await api.bed.trigger('without')).id}"

        answers = {
            run: problem(await send(api, run, text="x"))
            for run in (ABSENT, ended, without, closed, pending, waiting)
        }
        resizes = {
            run: problem(await api.tcp.post(f"{run}/resize", json={"rows": 1, "cols": 1}))
            for run in (ABSENT, ended, without, pending)
        }

        assert answers == {
            ABSENT: (404, "run-not-found"),
            ended: (409, "run-ended"),
            without: (409, "input-closed"),
            closed: (409, "input-closed"),
            pending: (409, "run-not-started"),
            waiting: (409, "run-not-started"),
        }
        assert resizes == {
            ABSENT: (404, "run-not-found"),
            ended: (409, "run-ended"),
            without: (409, "no-terminal"),
            pending: (409, "run-not-started"),
        }
        assert problem(await send(api, closed, key="up")) == (409, "no-terminal")


@pytest.mark.parametrize(
    ("body", "location", "says"),
    [
        ({}, "body", "there is nothing to send; give one of"),
        ({"close": False}, "body", "there is nothing to send"),
        ({"text": "a", "key": "enter"}, "body", "it has text and key; give one of"),
        ({"text": "a", "close": True}, "body", "it has text and close"),
        ({"text": ""}, "body.text", "it is empty"),
        ({"text": "a\0b"}, "body.text", "NUL"),
        ({"data": "?"}, "body.data", "it is bytes in base64"),
        ({"data": 7}, "body.data", "it is bytes in base64"),
        ({"key": "ctrl+c"}, "body.key", "there is no such key; did you mean ctrl-c?"),
        ({"key": "?"}, "body.key", "there is no such key; there are ctrl-a, "),
        ({"txt": "a"}, "body.txt", "did you mean text?"),
    ],
)
async def test_what_cannot_be_sent_to_anything_is_a_fault_of_the_request(
    tmp_path: Path, body: dict[str, Any], location: str, says: str
) -> None:
    async with api_of(tmp_path) as api:
        answer = await send(api, ABSENT, **body)

        (fault,) = answer.json()["errors"]
        assert problem(answer) == (422, "invalid-request")
        assert fault["location"] == location
        assert says in fault["message"]


async def test_more_than_can_ever_wait_is_too_large(tmp_path: Path) -> None:
    async with api_of(tmp_path) as api:
        answer = await send(api, ABSENT, text="x" * (1 << 20))

        assert problem(answer) == (413, "body-too-large")


@pytest.mark.parametrize(
    "body",
    [{}, {"rows": 0, "cols": 80}, {"rows": 24, "cols": 70_000}, {"rows": "x"}, {"rows": "24", "cols": True}],
)
async def test_a_size_that_no_terminal_has_is_a_fault(tmp_path: Path, body: dict[str, Any]) -> None:
    async with api_of(tmp_path) as api:
        answer = await api.tcp.post(f"{ABSENT}/resize", json=body)

        assert problem(answer) == (422, "invalid-request")


async def test_input_goes_to_a_run_that_an_earlier_server_started(tmp_path: Path) -> None:
    async with api_of(tmp_path, CAT, TERMINAL) as api:
        runs = [await started(api, task) for task in (CAT, TERMINAL)]
        await send(api, runs[0], text="before\n")

        await api.bed.crash()
        await api.bed.start()
        after = Api(api.bed, TOKEN)
        await asyncio.gather(*(send(after, run, text="after\n") for run in runs))
        await asyncio.gather(*(send(after, run, close=True) for run in runs))

        assert await until_ended(after, runs[0]) == "before\nafter\n"
        assert await until_ended(after, runs[1]) == "after\r\nafter\r\n"
        await after.close()


async def test_without_a_keeper_the_answer_is_to_try_again(tmp_path: Path) -> None:
    async with api_of(tmp_path, CAT) as api:
        run = await started(api, CAT)
        api.bed.engine._dispatcher.ready = False

        answer = await send(api, run, text="x")

        assert problem(answer) == (503, "keeper-unavailable")
        assert answer.headers["retry-after"] == "5"


async def test_a_run_that_waits_for_input_is_told_from_one_that_works(tmp_path: Path) -> None:
    async with api_of(tmp_path, CAT, DEAF) as api:
        reads, works = [(await started(api, task)).rpartition("/")[2] for task in (CAT, DEAF)]

        async with asyncio.timeout(30):
            while not (await api.bed.engine.feeding.look(reads)).waiting:  # type: ignore[arg-type]
                await asyncio.sleep(0.005)
        state = await api.bed.engine.feeding.look(works)  # type: ignore[arg-type]

        assert (state.open, state.waiting) == (True, False)
