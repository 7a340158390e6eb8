"""Server-sent events as an answer, told as long as the client listens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from rota.api import wire
from rota.api.call import ClientGone, while_connected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    Say = Callable[[bytes], Awaitable[None]]

MEDIA = "text/event-stream"

#: Seconds of silence after which a comment says that the stream lives.
HEARTBEAT = 15.0
ALIVE = b": alive\n\n"
CLOSING = b"event: closing\ndata: {}\n\n"


class ServerEvents(ABC):
    """An answer of events, from whatever it is that tells them."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    @abstractmethod
    async def tell(self, say: Say) -> None:
        """Tell events until there are no more."""

    @abstractmethod
    def close(self) -> None:
        """Nobody listens any more."""

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell events until there are no more, the client goes away or the server stops."""
        try:
            headers = [(b"content-type", MEDIA.encode()), (b"x-accel-buffering", b"no")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] != "HEAD":
                await while_connected(receive, self._tell(send))
            await send({"type": "http.response.body"})
        except ClientGone:
            pass
        finally:
            self.close()

    async def _tell(self, send: Send) -> None:
        async def say(text: bytes) -> None:
            await send({"type": "http.response.body", "body": text, "more_body": True})

        await say(b"retry: 1000\n\n")
        await self.tell(say)

    def data(self, shape: str, body: dict[str, Any]) -> bytes:
        """What an event says, of that shape."""
        return wire.encode({"$schema": f"{self._origin}/schemas/{shape}.json", **body})
