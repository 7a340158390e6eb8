"""`GET /api/events`: every change of state, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.call import Call
from rota.api.describe import streams
from rota.api.form import WHICH_RUN, Form
from rota.api.route import Routes
from rota.api.server_events import ALIVE, CLOSING, HEARTBEAT, MEDIA, ServerEvents
from rota.api.shapes import event as shapes
from rota.events.subscription import Gap
from rota.model.event import EventKind
from rota.model.task import NAME
from rota.operations import follow_events as operation
from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from rota.api.server_events import Say
    from rota.events.subscription import Subscription
    from rota.model.event import Event

routes = Routes()


class EventsQuery(Form):
    """Which events. All of them, unless told otherwise."""

    kind: list[EventKind] = Field(default=[], description="Events of this kind; may be repeated.")
    task_name: str | None = Field(
        default=None, pattern=NAME.pattern, description="Events of this task's runs."
    )
    run_id: str | None = Field(
        default=None, pattern=WHICH_RUN, description="Events of the run of this id, or whose id ends so."
    )


class EventsHeaders(Form):
    """Where to go on."""

    last_event_id: str | None = Field(
        default=None,
        alias="Last-Event-ID",
        pattern=r"^[0-9]{1,18}$",
        description="The id of the last event that was seen; what came after it is told first.",
    )


@routes.get(
    "/api/events",
    name="follow_events",
    tags=["events"],
    summary="Follow what happens",
    **streams(
        MEDIA,
        "A stream that does not end by itself. Each event has its kind as `event`, its id as `id` and an "
        "`Event` as `data`. `gap` (with a `Gap`) says that events were missed, since the server no longer "
        "knows them or the reader was too slow; `closing` says that the server stops. Comments keep the "
        "connection alive.",
        "run-not-found",
        "run-unclear",
    ),
)
async def follow_events(call: Call, query: EventsQuery, headers: EventsHeaders) -> Any:
    """Every change of state from now on, or from the event after `Last-Event-ID`.

    Whatever happens once the answer's headers are there is in the stream.
    """
    after = None if headers.last_event_id is None else int(headers.last_event_id)
    run_id = None if query.run_id is None else await which_run(call.rota, query.run_id)
    events = operation.follow_events(
        call.rota,
        after=after,
        kinds=frozenset(query.kind) or None,
        task_name=query.task_name,
    )
    return EventStream(events, run_id, call.origin)


class EventStream(ServerEvents):
    """A subscription, told as server-sent events."""

    def __init__(self, events: Subscription, run_id: str | None, origin: str) -> None:
        super().__init__(origin)
        self._events = events
        self._run_id = run_id

    def close(self) -> None:
        """Nobody listens any more."""
        self._events.close()

    async def tell(self, say: Say) -> None:
        """Tell events until the server stops."""
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):  # no event is lost: one is taken without a pause
                    event = await anext(self._events)
            except TimeoutError:
                await say(ALIVE)
            except StopAsyncIteration:
                break
            else:
                if self._wanted(event):
                    await say(self._text(event))
        await say(CLOSING)

    def _wanted(self, event: Event | Gap) -> bool:
        if self._run_id is None or isinstance(event, Gap):
            return True
        return event.run is not None and event.run.id == self._run_id

    def _text(self, event: Event | Gap) -> bytes:
        if isinstance(event, Gap):
            body = {"first_available": event.first_available}
            return b"event: gap\ndata: %s\n\n" % self.data("Gap", body)
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            event.id,
            event.kind.encode(),
            self.data("Event", shapes.Event.as_json(event)),
        )
