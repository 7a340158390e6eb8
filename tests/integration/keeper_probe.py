"""Speaks to a real keeper in tests: spawns runs and waits for what becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import uuid_utils

from rota.keeper.finding import find_keeper
from rota.keeper.link import KeeperLink
from rota.keeper.messages import Ended, Notified, NotNow, Spawn, Started
from rota.model.run import RunId

if TYPE_CHECKING:
    from pathlib import Path


class Probe:
    """A server as far as the keeper can tell."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.link: KeeperLink
        self.ended: dict[str, Ended] = {}
        self.started: dict[str, Started] = {}
        self.refused: dict[str, NotNow] = {}
        self.notified: dict[str, Notified] = {}
        self.ends_heard = 0
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    async def connect(self, **options: Any) -> Probe:
        self.link = await find_keeper(self.data, **options)
        for message in (*self.link.listed, *self.link.notified):
            self._note(message)
        self._reader = asyncio.create_task(self._read())
        return self

    async def disconnect(self) -> None:
        """As `kill -9` of the server: the connection is simply gone."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            await self.link.close()
            self._reader = None

    async def shutdown(self) -> None:
        if self._reader is None:
            await self.connect(launch=False)
        await self.link.shutdown()
        await self.until(lambda: self._reader is not None and self._reader.done())
        await self.disconnect()

    def spawn(self, *argv: str, run_id: str | None = None, **options: Any) -> RunId:
        run = RunId(run_id or str(uuid_utils.uuid7()))
        given: dict[str, Any] = {
            "cwd": "/", "timeout": None, "stop_signal": "SIGTERM", "grace": timedelta(seconds=5),
            "keep_children": False, "merge_stderr": False,
            "env": {"PATH": os.environ["PATH"], "ROTA_RUN_ID": run},
        } | options  # fmt: skip
        self.link.spawn(Spawn(run_id=run, attempt="t", argv=argv, **given))
        return run

    def shell(self, script: str, **options: Any) -> RunId:
        return self.spawn("/bin/sh", "-c", script, **options)

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(true)

    async def until_started(self, run: str) -> Started:
        await self.until(lambda: run in self.started)
        return self.started[run]

    async def until_ended(self, run: str) -> Ended:
        await self.until(lambda: run in self.ended)
        return self.ended[run]

    async def until_written(self, run: str, text: bytes) -> None:
        async with asyncio.timeout(30):
            while text not in self.log(run):
                await asyncio.sleep(0.005)

    def file(self, run: str, suffix: str) -> Path:
        return self.data / "runs" / run[:7] / (run + suffix)

    def log(self, run: str) -> bytes:
        path = self.file(run, ".log")
        return path.read_bytes() if path.exists() else b""

    def words(self, run: str) -> str:
        path = self.file(run, ".sys")
        return path.read_text() if path.exists() else ""

    def _note(self, message: Started | Ended | NotNow | Notified) -> None:
        if isinstance(message, Started):
            self.started[message.run_id] = message
        elif isinstance(message, Ended):
            self.ended[message.run_id] = message
            self.ends_heard += 1
        elif isinstance(message, Notified):
            self.notified[message.run_id] = message
        else:
            self.refused[message.run_id] = message

    async def _read(self) -> None:
        async for message in self.link:
            async with self._news:
                self._note(message)
                self._news.notify_all()
        async with self._news:
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._tell()))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def is_alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def until_gone(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(fd, ended.set)
        async with asyncio.timeout(30):
            await ended.wait()
        loop.remove_reader(fd)
    finally:
        os.close(fd)


def kill(pid: int) -> None:
    """SIGKILL one process that a test started."""
    os.kill(pid, signal.SIGKILL)
