"""The dispatcher: takes runs that were handed over, and tells of their lives. The local one is the keeper's.

This is the seam at which another dispatcher (a queue that workers of a cluster claim from) can stand. The
engine gives it runs, and hears of them only through `Hearing`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from rota.model.error import KeeperUnavailable
from rota.model.event import EventKind
from rota.model.run import HandOver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rota.engine.clock import Clock, Ids
    from rota.events.bus import Bus
    from rota.keeper.link import KeeperLink
    from rota.keeper.messages import Message, Spawn
    from rota.model.run import RunId

log = structlog.get_logger()

FIRST_PAUSE = 0.1  #: seconds before the second try to get a keeper; doubled up to the last
LAST_PAUSE = 5.0
GATHERING = 0.02  #: seconds in which acknowledgements gather; nobody waits for them
FAREWELL = 10.0  #: seconds that a shutdown waits for a keeper that is being replaced


class Hearing(Protocol):
    """Who hears of the runs."""

    async def met(self, link: KeeperLink) -> None:
        """A keeper is there, and nothing was sent to it or heard from it but its list."""

    def ready(self, keeper_id: str) -> None:
        """Runs may be handed over from now on."""

    def heard(self, message: Message) -> None:
        """Something happened to a run."""


class _Deaf:
    """Until somebody hears."""

    async def met(self, link: KeeperLink) -> None: ...
    def ready(self, keeper_id: str) -> None: ...
    def heard(self, message: Message) -> None: ...


class Dispatcher:
    """Owns the link to the keeper: finds or launches one, and another one when it is lost."""

    def __init__(
        self,
        *,
        open_link: Callable[[], Awaitable[KeeperLink]],
        bus: Bus,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._open_link = open_link
        self._hearing: Hearing = _Deaf()
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._link: KeeperLink | None = None
        self._acknowledged: list[RunId] = []
        self._min_free_space = 0
        self._leaving = False
        self.ready = False  #: a keeper is connected and reconciled: runs may be handed over
        self.problem: str | None = "no keeper is connected yet"
        self.left = asyncio.Event()  #: the keeper is gone because it was told to
        self._found = asyncio.Event()  # set while `ready`

    def sign(self) -> HandOver:
        """A new hand-over to the keeper that is connected."""
        if self._link is None:
            raise RuntimeError("no keeper is connected")
        return HandOver(
            attempt=self._ids.attempt(), keeper_id=self._link.keeper_id, boot_id=self._link.boot_id
        )

    @property
    def boot_id(self) -> str:
        """The kernel's boot id, as the keeper that is connected knows it."""
        if self._link is None:
            raise RuntimeError("no keeper is connected")
        return self._link.boot_id

    def reaches(self, hand_over: HandOver) -> bool:
        """Whether the keeper to which this was handed over is the one that is connected."""
        return self._link is not None and self._link.keeper_id == hand_over.keeper_id

    def leave_free(self, min_free_space: int) -> None:
        """Have output leave so many bytes of the disk free; each keeper that is met is told, too."""
        self._min_free_space = min_free_space
        if self._link is not None:
            self._link.leave_free(min_free_space)

    def dispatch(self, spawn: Spawn) -> None:
        """Have a run started; its hand-over is committed."""
        if self._link is not None:
            self._link.spawn(spawn)

    def stop(self, run_id: RunId, by: str) -> None:
        """Have a run stopped. Without a keeper nothing is said: who asks says it again when one is met."""
        if self._link is not None:
            self._link.stop(run_id, by)

    @property
    def link(self) -> KeeperLink:
        """The keeper that is connected, for what is asked and answered. Raises KeeperUnavailable."""
        if self._link is None or not self.ready:
            raise KeeperUnavailable(self.problem or "no keeper is connected")
        return self._link

    def acknowledge(self, run_id: RunId) -> None:
        """The end of the run is committed. One message tells of all that were committed within a moment."""
        if not self._acknowledged and self._link is not None:
            asyncio.get_running_loop().call_later(GATHERING, self._send_acknowledged)
        self._acknowledged.append(run_id)

    async def connect(self, hearing: Hearing) -> None:
        """Find or launch the keeper, and reconcile with it; raises Unusable when there is none to be had."""
        self._hearing = hearing
        await self._met(await self._open_link())

    async def run(self) -> None:
        """Hear the keeper, and get another when it is lost, until the keeper was told to leave."""
        while not self.left.is_set():
            if self._link is None:
                await self._reconnect()
            else:
                await self._listen(self._link)

    async def shutdown(self) -> None:
        """Have the keeper end every run and leave; returns when it has.

        A keeper that is being replaced is waited for: only a new one ends what the dead one left.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._found.wait(), FAREWELL)
        self._leaving = True
        if self._link is None:
            log.error("no keeper can be had that would end the runs", problem=self.problem)
        else:
            await self._link.shutdown()
            await self.left.wait()

    async def close(self) -> None:
        """Leave the keeper and its runs alone."""
        self.ready = False
        if self._link is not None:
            self._send_acknowledged()
            link, self._link = self._link, None
            await link.close()

    async def _met(self, link: KeeperLink) -> None:
        self._link = link
        link.leave_free(self._min_free_space)
        try:
            await self._hearing.met(link)
        except BaseException:
            self._link = None
            await link.close()
            raise
        self.ready = True
        self.problem = None
        self._found.set()
        self._send_acknowledged()  # those of a keeper that is gone: this one removes their files
        self._bus.emit(EventKind.KEEPER_READY, self._clock.now())
        log.info("the keeper is ready", keeper_id=link.keeper_id, pid=link.pid)
        self._hearing.ready(link.keeper_id)

    async def _listen(self, link: KeeperLink) -> None:
        try:
            async for message in link:
                try:
                    self._hearing.heard(message)
                except Exception:  # a fault with one run must not silence the others
                    log.exception("a message of the keeper could not be taken in", run_id=message.run_id)
        except Exception:  # whatever breaks the link breaks it like a keeper that dies: a new one is met
            log.exception("the link to the keeper broke")
        self.ready = False
        self._link = None
        self._found.clear()
        await link.close()
        if self._leaving:
            self.left.set()
            return
        self.problem = "the keeper was lost; another is being started"
        log.error("the keeper was lost", keeper_id=link.keeper_id)
        self._bus.emit(EventKind.KEEPER_LOST, self._clock.now(), message=self.problem)

    async def _reconnect(self) -> None:
        pause = 0.0
        while self._link is None:
            await self._clock.sleep(pause)
            pause = min(LAST_PAUSE, max(FIRST_PAUSE, pause * 2))
            try:
                await self._met(await self._open_link())
            except Exception as error:  # whatever it is, without a keeper nothing runs: go on trying
                self.problem = f"there is no keeper: {error}"
                log.exception("no keeper could be met; trying again", pause=pause)

    def _send_acknowledged(self) -> None:
        if self._link is not None and self._acknowledged:
            run_ids, self._acknowledged = self._acknowledged, []
            self._link.acknowledge(run_ids)
