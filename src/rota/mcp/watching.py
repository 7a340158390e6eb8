"""Watching: who listens to resources is told when one of them has changed, and reads it again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated

from rota.events.subscription import Gap
from rota.logs.follower import Following
from rota.logs.news import Over
from rota.mcp.resources import About, address_of, log_uri, run_uri, task_uri
from rota.model.error import RunNotFound
from rota.model.run import RunId
from rota.operations.follow_events import follow_events
from rota.operations.follow_log import follow_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from mcp.server.context import ServerRequestContext
    from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

    from rota.operations.rota import Rota

#: Seconds between two tellings of one log.
_PAUSE = 1.0


class Watching:
    """Tells listeners of changes; who does not listen costs nothing."""

    def __init__(self, rota: Rota) -> None:
        self._rota = rota
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell for as long as this lasts; every stream is ended when the server leaves."""
        telling = asyncio.create_task(self._tell(), name="mcp resources")
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """One stream, until its client or the server leaves."""
        uris = params.notifications.resource_subscriptions or ()
        followers = [asyncio.create_task(self._follow(run_id)) for run_id in _logs(uris)]
        try:
            return await self._listen(ctx, params)
        finally:
            for each in followers:
                each.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _tell(self) -> None:
        with follow_events(self._rota) as events:
            async for event in events:
                # Who has missed some is not told of those; a listener may read again whenever it likes.
                if isinstance(event, Gap) or event.run is None:
                    continue
                await self._bus.publish(ResourceUpdated(uri=run_uri(event.run.id)))
                if event.run.task_name is not None:
                    await self._bus.publish(ResourceUpdated(uri=task_uri(event.run.task_name)))
        self._listen.close()

    async def _follow(self, run_id: RunId) -> None:
        try:
            follower = await follow_log(self._rota, run_id, Following(tail=1))
        except RunNotFound:
            return
        try:
            over = False
            while not over:
                over = isinstance(await follower.next(), Over)
                await self._bus.publish(ResourceUpdated(uri=log_uri(run_id)))
                await asyncio.sleep(_PAUSE)
        finally:
            follower.close()


def _logs(uris: Iterable[str]) -> set[RunId]:
    addresses = [address_of(uri) for uri in uris]
    return {RunId(each.name) for each in addresses if each is not None and each.about is About.LOG}
