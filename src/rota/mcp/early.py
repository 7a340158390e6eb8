"""Early: the head of an answer that is long in coming, so that its client knows that it was asked.

A client of the modern era that has heard nothing when the connection breaks (the server was killed) takes
that for the end of everything, and one that has the head of an event stream for the end of one call. The SDK
sends that head with the first notification or after a quarter of a minute; here it is sent after a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Seconds after which an answer is begun that has not come.
PATIENCE = 1.0

_HEAD: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-cache, no-transform"),
        (b"x-accel-buffering", b"no"),
    ],
}


class Early:
    """One answer, begun in time; what comes as one object goes out as one event then."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = asyncio.Lock()
        self._begun = False  # a head is out
        self._as_event = False  # and it is ours, for an answer that is one object
        self._is_ours = False
        self._object = b""

    async def begin(self) -> None:
        """Send a head, if there is none by then."""
        await asyncio.sleep(PATIENCE)
        async with self._lock:
            if not self._begun:
                self._begun = self._is_ours = True
                await self._send(_HEAD)
                await self._send(_piece(b": it is being done\r\n\r\n", more=True))

    async def send(self, message: Message) -> None:
        """What the application sends."""
        async with self._lock:
            if message["type"] == "http.response.start":
                self._begun = True
                if self._is_ours:
                    kind = dict(message["headers"]).get(b"content-type", b"")
                    self._as_event = not kind.startswith(b"text/event-stream")
                    return
            elif self._as_event:
                self._object += message.get("body", b"")
                if message.get("more_body", False):
                    return
                message = _piece(b"event: message\r\ndata: " + self._object + b"\r\n\r\n", more=False)
            await self._send(message)


async def answered_early(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Have the application answer, and begin the answer if that takes long."""
    early = Early(send)
    begin = asyncio.create_task(early.begin(), name="the head of an answer")
    try:
        await app(scope, receive, early.send)
    finally:
        begin.cancel()
        await asyncio.gather(begin, return_exceptions=True)


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
