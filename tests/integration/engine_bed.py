"""An engine over the real store and bus, with a keeper and a clock that the test holds in its hands."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.config.config import Config
from rota.engine.clock import Clock
from rota.engine.engine import Engine
from rota.events.bus import Bus
from rota.keeper.messages import Ended, Notified, NotNow, Started
from rota.model.error import StoreUnavailable
from rota.model.event import Event, EventKind
from rota.model.run import Cause, Ending, Run, RunId, TriggeredBy
from rota.model.service import Service
from rota.model.task import Task
from rota.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from rota.keeper.messages import Message, Spawn

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
PATIENCE = 10.0  #: seconds after which a test that waits for an event has failed


class HandClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._elapsed = 0.0
        self._asleep = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def passed(self) -> float:
        return self._elapsed + self._asleep

    def suspend(self, seconds: float) -> None:
        """The machine sleeps for so long: the wall clock goes on, and nobody who waits wakes."""
        self._now += timedelta(seconds=seconds)
        self._asleep += seconds

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, future))
        await future

    def jump(self, seconds: float) -> None:
        """Set the wall clock; no time passes."""
        self._now += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass; who has slept long enough wakes."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
        due = [future for at, future in self._sleepers if at <= self._elapsed]
        self._sleepers = [(at, future) for at, future in self._sleepers if at > self._elapsed]
        for future in due:
            if not future.done():
                future.set_result(None)


class FakeLink:
    """The server's end of a connection to a `FakeKeeper`."""

    def __init__(self, keeper: FakeKeeper) -> None:
        self._keeper = keeper
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self.keeper_id = keeper.keeper_id
        self.boot_id = keeper.boot_id
        self.pid = 1
        self.version = "0"
        self.listed: list[Started | Ended] = [*keeper.running.values(), *keeper.ended.values()]
        self.notified: list[Notified] = [*keeper.notified]

    def spawn(self, spawn: Spawn) -> None:
        self._keeper.spawn(spawn)

    def stop(self, run_id: RunId, by: str) -> None:
        self._keeper.stop(run_id, by)

    def acknowledge(self, run_ids: Iterable[RunId]) -> None:
        self._keeper.acknowledge(run_ids)

    def leave_free(self, min_free_space: int) -> None:
        self._keeper.min_free_space = min_free_space

    async def shutdown(self) -> None:
        self._keeper.shut_down()

    async def close(self) -> None:
        self.cut()

    def say(self, message: Message) -> None:
        self._messages.put_nowait(message)

    def cut(self) -> None:
        """The connection ends."""
        self._messages.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self._messages.get()) is not None:
            yield message


class FakeKeeper:
    """Holds runs as the keeper does, without processes. Outlives engines, as the keeper does."""

    def __init__(self, *, keeper_id: str = "keeper-1", boot_id: str = "boot-1") -> None:
        self.keeper_id = keeper_id
        self.boot_id = boot_id
        self.now = NOON
        self.running: dict[RunId, Started] = {}
        self.ended: dict[RunId, Ended] = {}
        self.spawns: list[Spawn] = []  #: all that were asked for
        self.began: list[RunId] = []  #: all that were really started
        self.stops: list[tuple[RunId, str]] = []
        self.acknowledged: set[RunId] = set()
        self.refusing = False
        self.min_free_space = -1
        self.notified: list[Notified] = []
        self.at_once = False  #: every run ends as it starts
        self.link: FakeLink | None = None
        self.gone = False
        self._spawned: asyncio.Queue[Spawn] = asyncio.Queue()
        self._stopped: asyncio.Queue[tuple[RunId, str]] = asyncio.Queue()
        self._acknowledging = asyncio.Event()

    async def connect(self) -> FakeLink:
        self.link = FakeLink(self)
        return self.link

    async def next_spawn(self) -> Spawn:
        """Wait for a spawn that was not asked for before."""
        return await asyncio.wait_for(self._spawned.get(), PATIENCE)

    async def next_stop(self) -> tuple[RunId, str]:
        return await asyncio.wait_for(self._stopped.get(), PATIENCE)

    def spawn(self, spawn: Spawn) -> None:
        self.spawns.append(spawn)
        if spawn.run_id in self.running or spawn.run_id in self.ended:
            return
        if self.refusing:
            self.say(NotNow(run_id=spawn.run_id, attempt=spawn.attempt, message="too many open files"))
            self._spawned.put_nowait(spawn)
            return
        started = Started(run_id=spawn.run_id, attempt=spawn.attempt, pid=4000, at=self.now)
        self.running[spawn.run_id] = started
        self.began.append(spawn.run_id)
        self.say(started)
        self._spawned.put_nowait(spawn)
        if self.at_once:
            self.end(spawn.run_id)

    def stop(self, run_id: RunId, by: str) -> None:
        self.stops.append((run_id, by))
        self._stopped.put_nowait((run_id, by))

    def acknowledge(self, run_ids: Iterable[RunId]) -> None:
        for run_id in run_ids:
            self.acknowledged.add(run_id)
            self.ended.pop(run_id, None)
        self._acknowledging.set()

    async def until_acknowledged(self, run_id: RunId) -> None:
        """Wait until the server has said that it has this run's end."""
        while run_id not in self.acknowledged:
            self._acknowledging.clear()
            await asyncio.wait_for(self._acknowledging.wait(), PATIENCE)

    def end(self, run_id: RunId, exit_code: int | None = 0, *, cause: Cause | None = None) -> None:
        """The run's program ends."""
        started = self.running.pop(run_id)
        ended = Ended(
            run_id=run_id,
            attempt=started.attempt,
            pid=started.pid,
            start_at=started.at,
            ending=Ending(cause=cause, exit_code=exit_code, end_at=self.now, duration=timedelta(seconds=1)),
        )
        self.ended[run_id] = ended
        self.say(ended)

    def end_stopped(self, run_id: RunId) -> None:
        """The stop ladder has done its work."""
        self.end(run_id, None, cause=Cause.STOPPED)

    def shut_down(self) -> None:
        for run_id in list(self.running):
            self.end_stopped(run_id)
        self.gone = True
        if self.link is not None:
            self.link.cut()

    def die(self) -> None:
        """As by kill -9."""
        self.running.clear()
        self.ended.clear()
        if self.link is not None:
            self.link.cut()

    def say(self, message: Message) -> None:
        if self.link is not None:
            self.link.say(message)


class Hold:
    """A write that stands still."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.release = asyncio.Event()


_WRITES = frozenset(
    {
        "create",
        "create_many",
        "move",
        "save_horizon",
        "put_pause",
        "save_services",
        "save_instances",
        "set_aside",
    }
)


class BreakableStore:
    """The real store, on a disk that can be full."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = False
        self.under_way: set[asyncio.Future[Any]] = set()  #: writes
        self._holds: list[tuple[str, Callable[..., bool], Hold]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in _WRITES:
            return method

        async def write(*args: Any, **kwargs: Any) -> Any:
            for hold in [each for each in self._holds if each[0] == name and each[1](*args)]:
                self._holds.remove(hold)
                hold[2].reached.set()
                await hold[2].release.wait()
            if self.broken:
                raise StoreUnavailable("the database cannot be written: disk full")
            return await method(*args, **kwargs)

        def begin(*args: Any, **kwargs: Any) -> asyncio.Future[Any]:
            writing = asyncio.ensure_future(write(*args, **kwargs))
            self.under_way.add(writing)
            writing.add_done_callback(self.under_way.discard)
            return writing

        return begin

    def hold(self, name: str, which: Callable[..., bool] = lambda *_: True) -> Hold:
        """Keep the next such write from being done until it is released."""
        hold = Hold()
        self._holds.append((name, which, hold))
        return hold

    async def heal(self) -> bool:
        return not self.broken and await self._store.heal()


class Bed:
    """One engine, and what it stands on. `restart` gives it a new server over the same store and keeper."""

    def __init__(self, data: Path, definitions: Iterable[Task | Service], **tables: Any) -> None:
        self.data = data
        self.tables = tables
        self.configure(definitions)
        self.clock = HandClock()
        self.keeper = FakeKeeper()
        self.connects = True  #: False: no keeper can be had until `reconnect`
        self._reconnected = asyncio.Event()

    def configure(self, definitions: Iterable[Task | Service]) -> None:
        """What the next server reads in its file."""
        self.config = Config(
            path=self.data / "rota.toml",
            tasks={each.name: each for each in definitions if isinstance(each, Task)},
            services={each.name: each for each in definitions if isinstance(each, Service)},
            **self.tables,
        )

    async def start(self) -> None:
        self.store = BreakableStore(Store.open(self.data, now=self.clock.now))
        self.bus = Bus(await self.store.reserve_event_ids(1000), 1000)
        self.events = self.bus.subscribe()
        self.told: list[Event] = []
        self.engine = Engine(
            config=self.config,
            store=self.store,  # type: ignore[arg-type]
            bus=self.bus,
            data=self.data,
            clock=self.clock,
            environ={"PATH": "/bin", "ROTA_AUTH": "off"},
            open_link=self._open_link,  # type: ignore[arg-type]
        )
        await self.engine.start()
        await settle()  # the loops have looked once, and sleep

    async def stop(self) -> None:
        await self.engine.stop()
        await self.store.close()
        self.bus.close()

    async def restart(self) -> None:
        """The server ends politely, and another starts."""
        await self.stop()
        await self.start()

    async def crash(self) -> None:
        """The server dies where it stands, as by kill -9; what the store was given may be written."""
        self.engine._stopping = True
        background = self.engine._background
        for task in (*background._work, *background._loops):
            task.cancel()
        if self.keeper.link is not None:
            self.keeper.link = None
        await self.store.close()
        self.bus.close()

    async def trigger(self, task_name: str) -> Run:
        return await self.engine.triggering.trigger(task_name, triggered_by=TriggeredBy.API)

    async def until(self, kind: EventKind, run_id: RunId | None = None) -> Event:
        """Wait for an event; those that are passed over are kept in `told`."""
        for event in self.told:
            if event.kind is kind and (run_id is None or (event.run and event.run.id == run_id)):
                self.told.remove(event)
                return event
        async with asyncio.timeout(PATIENCE):
            async for event in self.events:
                assert isinstance(event, Event)
                if event.kind is kind and (run_id is None or (event.run and event.run.id == run_id)):
                    return event
                self.told.append(event)
        raise AssertionError("the bus was closed")

    async def settled(self) -> None:
        """Wait until nothing goes on without time."""
        await settle()
        while self.store.under_way:
            await asyncio.wait([*self.store.under_way])
            await settle()

    async def run(self, run_id: RunId) -> Run:
        run = await self.store.run(run_id)
        assert run is not None
        return run

    async def tick(self, seconds: float = 1.0) -> None:
        """Let time pass in steps of which the scheduler sees each."""
        while seconds > 0:
            step = min(1.0, seconds)
            self.clock.advance(step)
            seconds -= step
            await settle()

    def reconnect(self, keeper: FakeKeeper) -> None:
        """A keeper is there again."""
        self.keeper = keeper
        self._reconnected.set()

    async def _open_link(self) -> FakeLink:
        if not self.connects:
            await self._reconnected.wait()
        return await self.keeper.connect()


async def settle() -> None:
    """Give everything that can go on without time or writes its turns."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def bed_of(data: Path, *definitions: Task | Service, **tables: Any) -> AsyncIterator[Bed]:
    bed = Bed(data, definitions, **tables)
    await bed.start()
    try:
        yield bed
    finally:
        await bed.stop()
