"""Everything that the engine does beside answering: kept together, waited for, and heard when it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

log = structlog.get_logger()

T = TypeVar("T")


class Background:
    """A group of asyncio tasks in which one that fails does not take the others with it.

    A `TaskGroup` would cancel the loops and every write in flight when one write meets a fault of ours;
    here the fault is logged with its trace, and the other runs are looked after as before.
    """

    def __init__(self) -> None:
        self._work: set[asyncio.Task[Any]] = set()
        self._loops: set[asyncio.Task[Any]] = set()
        self._begun: set[asyncio.Future[Any]] = set()

    def loop(self, endless: Coroutine[Any, Any, None], name: str) -> None:
        """Run what goes on until it is cancelled; it has to survive the faults of its turns itself."""
        self._keep(endless, name, self._loops)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something that ends by itself, and that nobody waits for."""
        self._keep(work, name, self._work)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something to its end even if the caller, who waits for it, goes away meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done_for_caller)
        return await asyncio.shield(task)

    def attend(self, begun: asyncio.Future[T], then: Callable[[asyncio.Future[T]], None]) -> None:
        """Have `then` hear how that went which others do: a write. It costs less than a task of its own."""
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)
        begun.add_done_callback(then)

    async def stop(self, patience: float) -> None:
        """End the loops at once, and the rest when it is done or patience is over."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        deadline = asyncio.get_running_loop().time() + patience
        while (under_way := self._work | self._begun) and (
            left := deadline - asyncio.get_running_loop().time()
        ) > 0:
            await asyncio.wait(under_way, timeout=left)  # its end may have started something more
        for task in self._work:
            log.warning("work was cut off at the stop", work=task.get_name())
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def _keep(self, coroutine: Coroutine[Any, Any, None], name: str, group: set[asyncio.Task[Any]]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        group.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        self._loops.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", work=task.get_name(), exc_info=error)

    def _done_for_caller(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # the caller has it; if he went away, it concerned only him
