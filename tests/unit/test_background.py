"""Background work: finished for callers who leave, heard when it fails, and ended at a stop."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from rota.engine.background import Background


async def test_work_goes_on_when_its_caller_goes_away() -> None:
    background = Background()
    go, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        done.set()

    caller = asyncio.create_task(background.finish(work()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()

    await asyncio.wait_for(done.wait(), 5)
    await background.stop(5)


async def test_a_caller_gets_the_error_of_his_work() -> None:
    async def work() -> None:
        raise KeyError("his")

    with pytest.raises(KeyError):
        await Background().finish(work())


async def test_a_failure_that_nobody_waits_for_is_logged_and_takes_nothing_with_it() -> None:
    background = Background()
    done = asyncio.Event()

    async def fail() -> None:
        raise ValueError("ours")

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    with capture_logs() as logs:
        background.start(fail(), "fail")
        background.start(work(), "work")
        await asyncio.wait_for(done.wait(), 5)
        await background.stop(5)

    assert [(entry["log_level"], entry["work"]) for entry in logs] == [("error", "fail")]


async def test_a_stop_ends_loops_waits_for_work_and_cuts_off_what_takes_too_long() -> None:
    background = Background()
    ended: list[str] = []

    async def endless(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def work() -> None:
        await asyncio.sleep(0)
        ended.append("work")

    background.loop(endless("loop"), "loop")
    background.start(work(), "work")
    background.start(endless("stuck"), "stuck")
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await background.stop(0.01)
        await background.stop(0.01)

    assert sorted(ended) == ["loop", "stuck", "work"]
    assert ended[-1] == "stuck"
    assert [entry["work"] for entry in logs] == ["stuck"]
