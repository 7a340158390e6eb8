"""HTTP: one uvicorn for all sockets, without what it does to a process that is not its own."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rota.api import answer
from rota.api.problems import KINDS, Problem
from rota.daemon.listening import BACKLOG

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

#: Seconds in which answers that are under way may be finished at the stop.
PATIENCE = 1

#: Seconds that a connection may be idle.
KEEP_ALIVE = 60

#: Bytes that a request's headers may have.
LONGEST_HEADERS = 64 << 10


class HttpServer:
    """Serves an application on sockets that listen already, until it is stopped."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, app: ASGIApp, sockets: list[socket.socket], *, broken: Callable[[], None]) -> None:
        """Accept connections; `broken` is called when the server ends, which by itself it never should."""
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            workers=1,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=PATIENCE,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=sockets), name="http")
        self._serving.add_done_callback(lambda _: broken())
        while not self._server.started:
            if self._serving.done():
                raise RuntimeError("the HTTP server ended before it began") from self._serving.exception()
            await asyncio.sleep(0.001)

    def close(self) -> None:
        """Accept no more; answers under way are finished."""
        if self._server is not None:
            self._server.should_exit = True

    async def stop(self) -> None:
        """Wait until every answer is out, or patience is over."""
        self.close()
        if self._serving is not None:
            await self._serving


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's to hear."""
        yield


class _Gathering:
    """A transport that sends what one turn of the loop writes in one piece.

    An answer is written in two, its head and its body; sent so, each would wake its reader.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def write(self, piece: bytes) -> None:
        """Send it at the end of this turn."""
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pieces.append(piece)

    def close(self) -> None:
        """Send what was written, and close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._pieces.clear()
        self._transport.abort()

    def _flush(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1, in which what is not HTTP is a problem like any other."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(_Gathering(transport))  # type: ignore[arg-type]  # all that uvicorn uses

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._headers_size = 0

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name)
        self._count(value)
        # What stands around a value is not of it (RFC 9110, 5.5); httptools leaves what follows.
        super().on_header(name, value.strip(b" \t"))

    def _count(self, piece: bytes) -> None:
        self._headers_size += len(piece)
        if self._headers_size > LONGEST_HEADERS:
            # httptools has no bound of its own: without one, a client could fill the memory with headers.
            raise ValueError("the headers are too long")

    def send_400_response(self, msg: str) -> None:
        it = answer.problem(Problem(kind=KINDS["malformed-request"], detail=msg), "")
        head = b"".join(b"%b: %b\r\n" % header for header in it.headers)
        length = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(it.body)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + length + it.body)
        self.transport.close()
