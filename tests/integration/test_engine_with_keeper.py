"""The engine with the real keeper: real processes, real ends, and a keeper that is really killed."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from rota.config.config import Config
from rota.engine.engine import Engine
from rota.events.bus import Bus
from rota.keeper.account import Account, find_account
from rota.keeper.finding import find_keeper
from rota.keeper.link import KeeperLink
from rota.model.event import Event, EventKind
from rota.model.run import EndReason, Status, TriggeredBy
from rota.model.task import Task
from rota.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Server:
    """An engine, its parts, and the link by which it was connected last."""

    def __init__(self, data: Path, *tasks: Task) -> None:
        self.data = data
        self.config = Config(tasks={task.name: task for task in tasks})
        self.links: list[KeeperLink] = []

    async def start(self) -> None:
        self.store = Store.open(self.data)
        self.bus = Bus(await self.store.reserve_event_ids(1000), 1000)
        self.events = self.bus.subscribe()
        self.engine = Engine(
            config=self.config, store=self.store, bus=self.bus, data=self.data, open_link=self._open_link
        )
        await self.engine.start()

    async def leave(self) -> None:
        """The server ends, the keeper and the runs do not."""
        await self.engine.stop()
        await self.store.close()
        self.bus.close()

    async def until(self, kind: EventKind) -> Event:
        async for event in self.events:
            if isinstance(event, Event) and event.kind is kind:
                return event
        raise AssertionError("the bus was closed")

    async def _open_link(self) -> KeeperLink:
        self.links.append(await find_keeper(self.data))
        return self.links[-1]


@asynccontextmanager
async def serving(data: Path, *tasks: Task) -> AsyncIterator[Server]:
    server = Server(data, *tasks)
    await server.start()
    try:
        yield server
    finally:
        await server.engine.shutdown()
        await server.leave()


def lives(pid: int) -> bool:
    """Whether a process does; one that only waits to be reaped (by whom adopted it) does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_program_runs_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    script = 'test "$ROTA_TASK" = job && exit 7'
    async with serving(tmp_path, Task(name="job", run=script, exit_codes=frozenset({7}))) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        assert (ended.end_reason, ended.exit_code) == (EndReason.SUCCESS, 7)
        assert ended.duration is not None


async def test_a_program_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    async with serving(tmp_path, Task(name="job", run=("/no/such/program",))) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        assert ended.end_reason is EndReason.START_FAILED
        assert ended.message is not None
        assert "/no/such/program" in ended.message
        assert (ended.exit_code, ended.pid, ended.start_at) == (None, None, None)


async def test_an_environment_that_no_message_holds_ends_its_own_run_and_no_other(tmp_path: Path) -> None:
    much = Task(name="much", run="true", env={f"V{number}": "\1" * 131_000 for number in range(24)})
    async with serving(tmp_path, much, Task(name="job", run="sleep 1000")) as server:
        other = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        await server.until(EventKind.RUN_STARTED)
        run = await server.engine.triggering.trigger("much", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        assert ended.end_reason is EndReason.START_FAILED
        assert ended.message is not None
        assert "too large for any program" in ended.message
        assert [one.id for one in server.engine.runs.running("job")] == [other.id]
        assert len(server.links) == 1, "the keeper has ended the connection"


async def test_a_run_outlives_its_server_and_is_stopped_by_the_next(tmp_path: Path) -> None:
    async with serving(tmp_path, Task(name="job", run=("sleep", "1000"))) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        await server.until(EventKind.RUN_STARTED)
        await server.leave()

        await server.start()
        (running,) = server.engine.runs.running("job")
        await server.engine.runs.stop(run.id, by="api")
        ended = await server.engine.runs.wait(run.id, 30)

        assert running.id == run.id
        assert (ended.end_reason, ended.signal, ended.exit_code) == (EndReason.STOPPED, "SIGTERM", None)
        assert ended.pid == running.pid


async def test_the_runs_of_a_killed_keeper_are_lost_and_their_processes_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, Task(name="job", run=("sleep", "1000"))) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        waiting = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        started = (await server.until(EventKind.RUN_STARTED)).run
        os.kill(server.links[-1].pid, signal.SIGKILL)

        lost = await server.engine.runs.wait(run.id, 30)
        successor = (await server.until(EventKind.RUN_STARTED)).run

        assert lost.end_reason is EndReason.LOST
        assert started is not None
        assert started.pid is not None
        assert not lives(started.pid)
        assert successor is not None
        assert successor.id == waiting.id


async def test_a_shutdown_ends_runs_keeper_and_leaves_no_record_behind(tmp_path: Path) -> None:
    async with serving(tmp_path, Task(name="job", run=("sleep", "1000"))) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        await server.until(EventKind.RUN_STARTED)

        await server.engine.shutdown()

        ended = await server.store.run(run.id)
        assert ended is not None
        assert (ended.status, ended.end_reason) == (Status.ENDED, EndReason.STOPPED)
        assert not (tmp_path / "keeper.sock").exists()
        assert not (tmp_path / "keeper.journal").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user takes root")
async def test_a_task_runs_as_its_user_and_its_log_stays_ours(tmp_path: Path) -> None:
    script = (
        "id -un; id -gn; id -Gn; umask; nice; echo $HOME $USER $LOGNAME $SHELL; echo reopened > /dev/stderr"
    )
    task = Task(
        name="job",
        run=script,
        user="nobody:daemon",
        umask=0o27,
        nice=7,
        working_dir="/",
        env={"SHELL": "mine"},
    )
    async with serving(tmp_path, task) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        log = tmp_path / "runs" / run.id[:7] / f"{run.id}.log"
        home = pwd.getpwnam("nobody").pw_dir
        assert log.read_text().splitlines() == [
            "nobody", "daemon", "daemon", "0027", "7", f"{home} nobody nobody mine", "reopened",
        ]  # fmt: skip
        assert ended.end_reason is EndReason.SUCCESS
        assert (log.stat().st_uid, log.stat().st_mode & 0o777) == (os.geteuid(), 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user takes root")
async def test_a_folder_that_the_user_may_not_enter_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    async with serving(
        tmp_path, Task(name="job", run="true", user="nobody", working_dir=str(closed))
    ) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        assert ended.end_reason is EndReason.START_FAILED
        assert ended.message == f"cannot enter the working folder '{closed}': Permission denied"


async def test_a_user_that_the_machine_does_not_have_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, Task(name="job", run="true", user="no-such-user")) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)

        ended = await server.engine.runs.wait(run.id, 30)

        assert (ended.end_reason, ended.pid) == (EndReason.START_FAILED, None)
        assert ended.message == "this machine has no user 'no-such-user'"


async def test_a_run_that_is_stopped_while_its_user_is_looked_for_never_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(said: str) -> Account:
        asked.set()
        assert go_on.wait(30)
        return find_account(said)

    monkeypatch.setattr("rota.engine.handing.find_account", slow)
    me = pwd.getpwuid(os.geteuid()).pw_name
    async with serving(tmp_path, Task(name="job", run="true", user=me)) as server:
        run = await server.engine.triggering.trigger("job", triggered_by=TriggeredBy.API)
        await asyncio.to_thread(asked.wait, 30)

        await server.engine.runs.stop(run.id, by="a test")
        go_on.set()
        ended = await server.engine.runs.wait(run.id, 30)

        assert (ended.end_reason, ended.pid) == (EndReason.STOPPED, None)
