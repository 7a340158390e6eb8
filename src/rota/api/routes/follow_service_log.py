"""`GET /api/services/{service_name}/log/stream`: its log as it is written, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api import wire
from rota.api.call import Call
from rota.api.describe import streams
from rota.api.form import Form, ServiceName, Whole
from rota.api.route import Routes
from rota.api.routes.read_lines import streams_of
from rota.api.routes.read_service_log import InstanceQuery
from rota.api.server_events import ALIVE, CLOSING, HEARTBEAT, MEDIA, ServerEvents
from rota.api.shapes.service_log import ServiceLife, ServiceLogLine
from rota.model.error import Fault, Invalid
from rota.operations import follow_service_log as operation
from rota.operations.read_service_log import Place, ServiceLogWanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.api.server_events import Say
    from rota.operations.follow_service_log import ServiceFollower, Told

routes = Routes()


class ServiceStreamQuery(InstanceQuery):
    """From where on."""

    tail: Whole = Field(
        default=100,
        ge=0,
        le=10_000,
        description="From so many of the last lines on; 0 tells what is new only.",
    )


class ServiceStreamHeaders(Form):
    """Where to go on."""

    last_event_id: str | None = Field(
        default=None,
        alias="Last-Event-ID",
        pattern=r"^[A-Za-z0-9_-]{1,60000}$",
        description="The id of the last event that was seen; it takes precedence over the query.",
    )


@routes.get(
    "/api/services/{service_name}/log/stream",
    name="follow_service_log",
    tags=["services"],
    summary="Follow a service's log",
    **streams(
        MEDIA,
        "`line` (with a `ServiceLogLine`) is a line, or a piece of one; `life` (with a `ServiceLife`) says "
        "that a life of an instance has begun or ended; `dropped` (with `run_id`, `first` and `last`) says "
        "which lines of a life are not told. The `id` stands at the last of the lines that were found "
        "together: who reconnects with it misses none, and may get some of them again. `closing` says that "
        "the server stops. Comments keep the connection alive.",
        "service-not-found",
    ),
)
async def follow_service_log(
    call: Call,
    service_name: ServiceName,
    query: ServiceStreamQuery,
    headers: ServiceStreamHeaders,
) -> Any:
    """Every line of every life, from a place on: what is there already, then as it is written.

    Lives begin and end meanwhile; the stream does not end by itself. Lines of one life come in their order,
    those of several as they arrive, within some hundredths of a second.
    """
    since = headers.last_event_id
    if since is not None:
        try:
            Place.read(since)
        except ValueError as error:
            raise Invalid(
                [Fault(location="header.Last-Event-ID", message=str(error), value=since)]
            ) from error
    wanted = ServiceLogWanted(
        instance=query.instance,
        since=since,
        streams=streams_of(query.stream),
        ansi=query.ansi,
        limit=query.tail if since is None else 1000,
    )
    return ServiceLogStream(await operation.follow_service_log(call.rota, service_name, wanted), call.origin)


class ServiceLogStream(ServerEvents):
    """What a follower is told, as server-sent events."""

    def __init__(self, follower: ServiceFollower, origin: str) -> None:
        super().__init__(origin)
        self._follower = follower

    def close(self) -> None:
        """Nobody listens any more."""
        self._follower.close()

    async def tell(self, say: Say) -> None:
        """Tell lines until the server stops."""
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):  # nothing is lost by it
                    told = await self._follower.next()
            except TimeoutError:
                await say(ALIVE)
                continue
            if told is None:
                break
            if text := b"".join(self._events(told)):
                await say(text)
        await say(CLOSING)

    def _events(self, told: Told) -> Iterator[bytes]:
        place = told.place.write().encode()
        if told.dropped is not None and told.life is not None:
            body = {"run_id": told.life.id, "first": told.dropped.first, "last": told.dropped.last}
            yield b"id: %s\nevent: dropped\ndata: %s\n\n" % (place, wire.encode(body))
        elif told.life is not None:
            life = self.data("ServiceLife", ServiceLife.as_json(told.life))
            yield b"id: %s\nevent: life\ndata: %s\n\n" % (place, life)
        for n, each in enumerate(told.lines, start=1):
            if n == len(told.lines):
                yield b"id: %s\n" % place
            yield b"event: line\ndata: %s\n\n" % wire.encode(ServiceLogLine.as_json(each))
