"""Work that is done for a client, for as long as there is a client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rota.api.call import ClientGone, while_connected


class Client:
    """Says nothing until it hangs up."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def hang_up(self) -> None:
        self._gone.set()


async def test_work_that_is_done_is_returned_and_its_client_no_longer_watched() -> None:
    client = Client()
    before = asyncio.all_tasks()

    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await while_connected(client.receive, work()) == 7

    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_client_that_hangs_up_cancels_the_work_which_may_clean_up() -> None:
    client = Client()
    cleaned: list[str] = []

    async def work() -> None:
        client.hang_up()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("yes")

    with pytest.raises(ClientGone):
        await while_connected(client.receive, work())

    assert cleaned == ["yes"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_client_that_hangs_up_as_the_work_ends_disturbs_nothing_that_follows() -> None:
    client = Client()

    async def work() -> str:
        client.hang_up()
        return "done"

    assert await while_connected(client.receive, work()) == "done"

    for _ in range(5):
        await asyncio.sleep(0)  # a late cancellation would arrive here


async def test_a_fault_of_the_work_is_its_own() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await while_connected(Client().receive, work())


async def test_a_cancellation_from_outside_is_not_taken_for_a_hang_up() -> None:
    client = Client()
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    outer = asyncio.create_task(while_connected(client.receive, work()))
    await begun.wait()
    outer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await outer
