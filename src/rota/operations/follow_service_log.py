"""A service's log as it is written, over lives and instances; it does not end by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rota.logs.follower import Following
from rota.logs.news import Dropped, News, Over
from rota.model.event import EventKind
from rota.model.run import Kind, Run, Status
from rota.operations.follow_log import end_of
from rota.operations.read_service_log import Place, ServiceLine, read_service_log

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from rota.model.run import RunId
    from rota.operations.read_service_log import ServiceLogWanted
    from rota.operations.rota import Rota

#: So much waits for a reader before those who read for it wait, too.
WAITING = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a follower is told: lines, lines that are missing, or a life that has begun or ended."""

    lines: Sequence[ServiceLine] = ()
    dropped: Dropped | None = None
    life: Run | None = None  #: whose lines are dropped, or which has begun or ended
    place: Place  #: who comes back goes on there


class ServiceFollower:
    """Follows every life of a service. To be closed.

    The lines of one life come in their order, and the lives of one instance one after the other; the lines of
    several instances as they are found, within some hundredths of a second of their arrival. A slow reader
    holds up nobody but itself.
    """

    def __init__(self, rota: Rota, name: str, wanted: ServiceLogWanted) -> None:
        self._rota = rota
        self._name = name
        self._wanted = wanted
        self._first: list[Told] = []
        self._next: dict[RunId, int] = {}
        self._newest = ""
        # A life that has begun comes with nothing; nothing at all: the server stops.
        self._found: asyncio.Queue[tuple[Run, News | Dropped | Over[Run] | None] | None]
        self._found = asyncio.Queue(WAITING)
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_of: dict[int | None, asyncio.Task[None]] = {}  #: who follows an instance's newest life
        self._events = rota.bus.subscribe(kinds={EventKind.RUN_CREATED}, task_name=name)

    async def begin(self) -> None:
        """Find what is there already. Raises ServiceNotFound and Invalid."""
        try:
            found = await read_service_log(self._rota, self._name, self._wanted)
            self._first = [Told(lines=found.lines, place=found.place)]
            while found.more and self._wanted.since is not None:
                wanted = replace(self._wanted, since=found.place.write())
                found = await read_service_log(self._rota, self._name, wanted)
                self._first.append(Told(lines=found.lines, place=found.place))
        except BaseException:
            self._events.close()
            raise
        self._next, self._newest = dict(found.place.next), found.place.newest
        for run_id, start in list(self._next.items()):
            run = await self._rota.store.run(run_id)
            if run is not None:
                self._start(run, self._follow(run, start))
        self._keep(self._meet_lives(), f"lives of {self._name}")

    async def next(self) -> Told | None:
        """What comes next; None once the server stops. It may be cancelled, and loses nothing by it."""
        if self._first:
            return self._first.pop(0)
        while (found := await self._found.get()) is not None:
            run, told = found
            if told is None:
                return Told(life=run, place=self._place())
            if isinstance(told, News):
                self._next[run.id] = told.next
                lines = told.lines.get(self._wanted.ansi, ())
                shown = [
                    ServiceLine(run=run, line=line) for line in lines if line.stream in self._wanted.streams
                ]
                if shown:
                    return Told(lines=shown, place=self._place())
            elif isinstance(told, Dropped):
                return Told(dropped=told, life=run, place=self._place())
            elif told.outcome is None:
                break
            else:
                self._next.pop(run.id, None)
                return Told(life=told.outcome, place=self._place())
        return None

    def close(self) -> None:
        """Follow no longer; twice is fine."""
        self._events.close()
        for task in self._tasks:
            task.cancel()

    def _place(self) -> Place:
        return Place(next=dict(self._next), newest=self._newest)

    def _keep(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _meet_lives(self) -> None:
        async for event in self._events:
            run = getattr(event, "run", None)
            if run is None:  # some were missed: who begins meanwhile is found by what is open
                for each in await self._rota.store.open_runs():
                    await self._meet(each)
            else:
                await self._meet(run)
        await self._found.put(None)

    async def _meet(self, run: Run) -> None:
        ours = run.task_name == self._name and run.kind is Kind.SERVICE and run.id > self._newest
        if ours and run.status is not Status.ENDED:
            self._newest = run.id
            if self._wanted.instance in (None, run.instance_index):
                self._next[run.id] = 1
                self._start(run, self._follow_new(run, self._last_of.get(run.instance_index)))

    def _start(self, run: Run, work: Coroutine[None, None, None]) -> None:
        self._last_of[run.instance_index] = self._keep(work, f"log of {run.id}")

    async def _follow_new(self, run: Run, before: asyncio.Task[None] | None) -> None:
        """Tell of a life only when all of the one before it is told, whose last lines may still be read."""
        if before is not None:
            await asyncio.wait([before])
        await self._found.put((run, None))
        await self._follow(run, 1)

    async def _follow(self, run: Run, start: int) -> None:
        wanted = Following(start=start, streams=self._wanted.streams, ansi=self._wanted.ansi)
        live = self._rota.live_logs
        follower = live.follow(self._rota.data, run.id, wanted, lambda: end_of(self._rota, run.id))
        try:
            told: News | Dropped | Over[Run] | None = None
            while not isinstance(told, Over):
                told = await follower.next()
                if told is not None:
                    await self._found.put((run, told))
        finally:
            follower.close()


async def follow_service_log(rota: Rota, name: str, wanted: ServiceLogWanted) -> ServiceFollower:
    """A follower. To be closed. Raises ServiceNotFound and Invalid."""
    follower = ServiceFollower(rota, name, wanted)
    await follower.begin()
    return follower
