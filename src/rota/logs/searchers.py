"""The server's searchers: few, started when the first search comes, and ended when they are idle or stuck."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import sys
from typing import TYPE_CHECKING

from rota.logs.searcher import LENGTH

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from rota.logs.searching import Outcome, Search

#: Searches that are done at the same time; those that come besides wait for their turn.
MOST = 2

#: Seconds beyond its own time after which a search is stuck (on a disk that does not answer, say).
PATIENCE = 5.0

#: Seconds after which a searcher that has nothing to do leaves.
IDLE = 60.0


class SearchFailed(Exception):
    """The searcher died or was stuck; the search may be tried again."""


class Searchers:
    """Does searches in processes of their own."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(MOST)
        self._idle: dict[Process, asyncio.TimerHandle] = {}

    async def search(self, asked: Search) -> Outcome:
        """The outcome of a search. Raises SearchFailed. One that is cancelled ends its searcher."""
        async with self._turns:
            process, answered = await self._take(), False
            try:
                async with asyncio.timeout(asked.seconds + PATIENCE):
                    outcome = await _ask(process, asked)
            except (OSError, EOFError, TimeoutError, pickle.UnpicklingError) as error:
                raise SearchFailed("the search was given up: it got no answer") from error
            else:
                answered = True
                return outcome
            finally:
                if answered:
                    self._give_back(process)
                else:
                    await _end(process)

    async def close(self) -> None:
        """End every searcher; twice is fine."""
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            await _end(process)

    async def _take(self) -> Process:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.returncode is None:
                return process
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "rota.logs.searcher"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd="/",
        )

    def _give_back(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        self._idle[process] = loop.call_later(IDLE, self._leave, process)

    def _leave(self, process: Process) -> None:
        if self._idle.pop(process, None) is not None and process.stdin is not None:
            process.stdin.close()  # it leaves by itself


async def _ask(process: Process, asked: Search) -> Outcome:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    body = pickle.dumps(asked)
    process.stdin.write(LENGTH.pack(len(body)) + body)
    await process.stdin.drain()
    length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
    outcome: Outcome = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301  our own searcher
    return outcome


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
