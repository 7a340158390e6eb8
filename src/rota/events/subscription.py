"""A subscription: the events that one reader asked for, in order, as fast as that reader takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.model.event import Event, EventKind
    from rota.model.run import RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What a subscription is about; None asks for nothing."""

    task_name: str | None = None
    run_id: RunId | None = None

    @classmethod
    def of(cls, event: Event) -> tuple[Topic, ...]:
        """Every topic that an event belongs to."""
        run = event.run
        if event.instance is not None:
            return (_ALL, cls(task_name=event.instance.service))
        if run is None:
            return (_ALL,)
        if run.task_name is None:
            return (_ALL, cls(run_id=run.id))
        return (
            _ALL,
            cls(task_name=run.task_name),
            cls(run_id=run.id),
            cls(task_name=run.task_name, run_id=run.id),
        )


_ALL = Topic()


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Events were missed, or may have been."""

    first_available: int  #: no event before this id follows


class Subscription:
    """An async iterator of events, for one reader; it ends when the bus or itself is closed.

    Who falls behind by more than `backlog` events loses the oldest, and is told by a `Gap` before the next.
    The bus is never held up.
    """

    def __init__(
        self,
        *,
        topic: Topic,
        kinds: frozenset[EventKind] | None,
        backlog: int,
        leave: Callable[[Subscription], None],
    ) -> None:
        self.topic = topic
        self._kinds = kinds
        self._waiting: deque[Event] = deque(maxlen=backlog)
        self._gap: Gap | None = None
        self._overrun = False
        self._wake: asyncio.Future[None] | None = None
        self._closed = False
        self._leave = leave

    def miss(self, gap: Gap) -> None:
        """Tell the reader, before anything else, that events are missing."""
        self._gap = gap

    def offer(self, event: Event) -> None:
        """Take an event of the topic, if it is of a kind that was asked for."""
        if self._kinds is not None and event.kind not in self._kinds:
            return
        waiting = self._waiting
        if len(waiting) == waiting.maxlen:
            self._overrun = True
        waiting.append(event)
        self._wake_reader()

    def close(self) -> None:
        """Take no more; what has come already can still be read. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._leave(self)
            self._wake_reader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event | Gap:
        while True:
            if self._gap is not None:
                gap, self._gap = self._gap, None
                return gap
            if self._overrun:
                self._overrun = False
                return Gap(first_available=self._waiting[0].id)
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake

    def _wake_reader(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)
