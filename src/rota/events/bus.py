"""The bus: every change of state is told here once, after its commit, to whoever listens in the process."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from rota.events.subscription import Gap, Subscription, Topic
from rota.model.error import StoreUnavailable
from rota.model.event import Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from rota.model.event import EventKind, InstanceChange
    from rota.model.run import Run, RunId

BLOCK = 10_000
"""Ids that are taken from the store at a time; what a killed server leaves of them is never used."""

RING = 10_000
"""Events that are kept for those who come back."""


class Bus:
    """Numbers events and hands them out, on the event loop.

    Ids grow over restarts: they come in blocks that the store gave to nobody before. The next block is asked
    for when half of one is used, so that `emit` never waits. While the store cannot give one, events are
    numbered on, since a store that fails is itself an event.
    """

    def __init__(
        self,
        first_id: int,
        block: int = BLOCK,
        reserve: Callable[[int], Awaitable[int]] | None = None,
        *,
        ring: int = RING,
    ) -> None:
        """`first_id` begins a reserved block of `block` ids; `reserve` gives the first id of another one."""
        self._next_id = first_id
        self._end = first_id + block
        self._block = block
        self._reserve = reserve
        self._ask_at = first_id + block // 2
        self._asking: asyncio.Task[None] | None = None
        self._ring: deque[Event] = deque(maxlen=ring)
        self._backlog = ring
        # By topic, so that an event costs nothing to the thousands who wait for another run or task.
        self._subscriptions: dict[Topic, dict[Subscription, None]] = {}
        self._closed = False

    def emit(
        self,
        kind: EventKind,
        at: datetime,
        run: Run | None = None,
        message: str | None = None,
        *,
        instance: InstanceChange | None = None,
    ) -> Event:
        """Tell of a change that was committed."""
        event = Event(id=self._next_id, kind=kind, at=at, run=run, instance=instance, message=message)
        self._next_id += 1
        self._ring.append(event)
        if self._subscriptions:
            for topic in Topic.of(event):
                for subscription in self._subscriptions.get(topic, ()):
                    subscription.offer(event)
        if event.id >= self._ask_at:
            self._ask()
        return event

    def subscribe(
        self,
        after: int | None = None,
        kinds: Iterable[EventKind] | None = None,
        task_name: str | None = None,
        run_id: RunId | None = None,
    ) -> Subscription:
        """Follow events from now on, or those after the id `after`.

        A `Gap` comes first when events after that id are no longer here, or when nobody can tell what they
        were: the id is from before a restart, or was never given. Close the subscription after use.
        """
        topic = Topic(task_name=task_name, run_id=run_id)
        subscription = Subscription(
            topic=topic,
            kinds=None if kinds is None else frozenset(kinds),
            backlog=self._backlog,
            leave=self._forget,
        )
        if after is not None:
            self._catch_up(subscription, after)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.setdefault(topic, {})[subscription] = None
        return subscription

    def close(self) -> None:
        """End every subscription, once its reader has read what came before; closing twice is fine."""
        self._closed = True
        if self._asking is not None:
            self._asking.cancel()
        for subscription in [each for group in self._subscriptions.values() for each in group]:
            subscription.close()

    def _catch_up(self, subscription: Subscription, after: int) -> None:
        first_available = self._ring[0].id if self._ring else self._next_id
        if not first_available - 1 <= after < self._next_id:
            subscription.miss(Gap(first_available=first_available))
            after = first_available - 1
        # Ids have no holes but where a block was left unfinished: then some older events are looked at, too.
        newer = min(len(self._ring), self._next_id - 1 - after)
        for event in islice(self._ring, len(self._ring) - newer, None):
            if event.id > after and subscription.topic in Topic.of(event):
                subscription.offer(event)

    def _forget(self, subscription: Subscription) -> None:
        group = self._subscriptions.get(subscription.topic, {})
        group.pop(subscription, None)
        if not group:
            self._subscriptions.pop(subscription.topic, None)

    def _ask(self) -> None:
        """Have the next block reserved, unless that is under way."""
        self._ask_at = self._next_id + self._block // 20  # should this fail, it is tried again then
        if self._reserve is not None and self._asking is None and not self._closed:
            self._asking = asyncio.get_running_loop().create_task(
                self._extend(self._reserve), name="rota-event-ids"
            )

    async def _extend(self, reserve: Callable[[int], Awaitable[int]]) -> None:
        try:
            first = await reserve(self._block)
        except StoreUnavailable:
            return
        finally:
            self._asking = None
        if first != self._end:  # the store gave ids to somebody else; those between are not ours
            self._next_id = max(self._next_id, first)
        self._end = first + self._block
        self._ask_at = self._end - self._block // 2
