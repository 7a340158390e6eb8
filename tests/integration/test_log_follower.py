"""Following a log that is written: a slow follower, one that comes late, an end that comes at any moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from engine_bed import PATIENCE
from sample_logs import ERR, OUT, SampleLog

from rota.logs import follower as following
from rota.logs import live
from rota.logs.follower import Follower, Following
from rota.logs.line import Ansi
from rota.logs.live import LiveLogs
from rota.logs.news import Dropped, News, Over

if TYPE_CHECKING:
    from pathlib import Path

RUN = "01998000-0000-7000-8000-000000000000"


class Run:
    """A run that goes on until the test ends it."""

    def __init__(self, data: Path, cap: int | None = None) -> None:
        self.data = data
        self.logs: LiveLogs[str] = LiveLogs()
        self.log = SampleLog(data, RUN, cap=cap)
        self._ended: asyncio.Event = asyncio.Event()

    def follow(self, wanted: Following | None = None) -> Follower[str]:
        return self.logs.follow(self.data, RUN, wanted or Following(), self._end)

    def end(self) -> None:
        self.log.end()
        self._ended.set()

    async def _end(self) -> str:
        await self._ended.wait()
        return "ended"


async def told(follower: Follower[str]) -> list[int | str]:
    """Everything up to the end: the numbers of the lines, what was dropped, and the end."""
    found: list[int | str] = []
    async with asyncio.timeout(PATIENCE):
        while True:
            it = await follower.next()
            if isinstance(it, Over):
                follower.close()
                return [*found, f"{it.outcome} after {it.total_lines}"]
            if isinstance(it, Dropped):
                found.append(f"{it.first} to {it.last} dropped")
            else:
                found += [line.n for line in it.lines[Ansi.KEEP] if line.stream in follower.wanted.streams]


async def keeping_up(follower: Follower[str]) -> list[int]:
    """The lines that are there; once they were told, it keeps up."""
    it = await asyncio.wait_for(follower.next(), PATIENCE)
    assert isinstance(it, News)
    reading = asyncio.create_task(follower.next())
    while not follower._is_attached:
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    return [line.n for line in it.lines[Ansi.KEEP]]


@pytest.mark.parametrize("line", ["x\n", "\n"])
async def test_a_follower_that_does_not_keep_up_is_taken_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(following, "WAITING", 100)
    monkeypatch.setattr(following, "BEHIND", 500)
    monkeypatch.setattr(following, "KEPT", 50)
    run = Run(tmp_path)
    run.log.write(OUT, "one\n")
    follower = run.follow()
    assert await keeping_up(follower) == [1]

    for _ in range(30):
        run.log.write(OUT, line * 100)
        if not follower._is_attached:
            break
        await asyncio.sleep(2 * live.LOOK)  # it is not reading meanwhile
    run.log.write(OUT, line * 2000)
    while follower._live.next < 2000:
        await asyncio.sleep(0.001)
    reading = asyncio.create_task(told(follower))
    while follower._position.n < 2000:
        await asyncio.sleep(0.001)
    run.end()
    found = await reading

    dropped = [each for each in found if isinstance(each, str)][:-1]
    assert len(dropped) == 1
    seen = {each for each in found if isinstance(each, int)}
    first, _, last, _ = dropped[0].split()
    missed = set(range(int(first), int(last) + 1))
    assert len(missed) > 500
    assert seen.isdisjoint(missed)
    assert {1} | seen | missed == set(range(1, follower._position.n))
    assert found[-1] == f"ended after {follower._position.n - 1}"


async def test_more_than_a_look_can_hand_out_is_skipped_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEHIND", 500)
    monkeypatch.setattr(live, "KEPT", 50)
    monkeypatch.setattr(following, "BEHIND", 400)
    monkeypatch.setattr(following, "KEPT", 50)
    run = Run(tmp_path)
    run.log.write(OUT, "one\n")
    follower = run.follow()
    assert await keeping_up(follower) == [1]

    run.log.write(OUT, "x\n" * 5000)
    reading = asyncio.create_task(told(follower))
    while follower._position.n < 5002:
        await asyncio.sleep(0.001)
    run.end()

    assert await reading == ["2 to 4901 dropped", *range(4902, 5002), "ended after 5001"] or (
        await reading == ["2 to 4951 dropped", *range(4952, 5002), "ended after 5001"]
    )


@pytest.mark.parametrize("ends_after", [0, 1, 2, 5])
async def test_the_end_may_come_at_any_moment(tmp_path: Path, ends_after: int) -> None:
    run = Run(tmp_path)
    run.log.write(OUT, "one\ntwo\nopen")
    followers = [run.follow(), run.follow(Following(tail=1)), run.follow(Following(start=3))]
    reading = [asyncio.create_task(told(follower)) for follower in followers]
    for _ in range(ends_after):
        await asyncio.sleep(0)

    run.end()

    assert [await each for each in reading] == [
        [1, 2, 3, "ended after 3"],
        [2, 3, "ended after 3"] if (await reading[1])[0] == 2 else [3, "ended after 3"],
        [3, "ended after 3"],
    ]
    assert not run.logs._live


async def test_followers_from_everywhere_see_the_same_while_it_is_written(tmp_path: Path) -> None:
    run = Run(tmp_path)
    reading = []
    for n in range(1, 301):
        run.log.write(OUT if n % 7 else ERR, f"{n}\n")
        if n % 50 == 1:
            reading.append((n, asyncio.create_task(told(run.follow(Following(start=n))))))
        await asyncio.sleep(0.001 if n % 10 == 0 else 0)

    run.end()

    for n, each in reading:
        assert await each == [*range(n, 301), "ended after 300"]


async def test_a_follower_of_one_stream_that_is_silent_ends_too(tmp_path: Path) -> None:
    run = Run(tmp_path)
    reading = asyncio.create_task(told(run.follow(Following(streams=(ERR,)))))
    run.log.write(OUT, "one\n")
    await asyncio.sleep(0)

    run.end()

    assert await reading == ["ended after 1"]


async def test_a_log_that_loses_its_beginning_while_it_is_followed_says_so(tmp_path: Path) -> None:
    run = Run(tmp_path, cap=40_000)
    reading = asyncio.create_task(told(run.follow()))
    for n in range(1, 3001):
        run.log.write(OUT, f"{n} {'x' * 90}\n")
        if n % 100 == 0:
            await asyncio.sleep(0.001)
    run.end()

    found = await reading

    seen: list[int] = []
    for each in found[:-1]:
        if isinstance(each, int):
            seen.append(each)
        else:
            first, _, last, _ = each.split()
            seen += range(int(first), int(last) + 1)
    assert seen == list(range(1, 3002))  # the last one is Rota's own: how much was dropped


async def test_the_last_follower_ends_the_looking(tmp_path: Path) -> None:
    run = Run(tmp_path)
    one, two = run.follow(), run.follow()
    hub = run.logs._live[RUN]

    one.close()
    assert run.logs._live == {RUN: hub}
    two.close()
    two.close()

    assert run.logs._live == {}
    await asyncio.wait({hub._looking, hub._end})
    assert hub._looking.cancelled()
