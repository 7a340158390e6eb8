"""A call: one request, with the server that it came to and the door it came by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request

from rota.auth.caller import caller

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from starlette.types import Receive

    from rota.auth.caller import Caller
    from rota.operations.rota import Rota

T = TypeVar("T")


class ClientGone(Exception):
    """The client hung up; there is nobody to answer."""


class Call(Request):
    """A request to one of Rota's routes."""

    @property
    def rota(self) -> Rota:
        """What the operations work on."""
        rota: Rota = self.scope["rota"]
        return rota

    @property
    def by_socket(self) -> bool:
        """It came by the Unix socket: from the data folder's owner."""
        return bool(self.scope["rota.by_socket"])

    def given(self, name: bytes) -> list[str]:
        """The values of a header, by its lower-case name."""
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]

    @property
    def caller(self) -> Caller:
        """Who asks, as far as the way by which the request came can tell."""
        return caller(self.scope["rota.way"])

    @property
    def origin(self) -> str:
        """Scheme, host and port under which the client knows this server."""
        return str(self.scope["rota.origin"])


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; when the client hangs up first, the work is cancelled and ClientGone raised.

    The request's body has been read before this: from then on the only message to come is the disconnect.
    """
    worker = asyncio.current_task()
    if worker is None:
        raise RuntimeError("it is called from within a task")
    over = gone = False

    def hang_up(_: asyncio.Task[None]) -> None:
        # It may be called a turn after the work was done: then there is nothing left to cancel.
        nonlocal gone
        if not over:
            gone = True
            worker.cancel()

    watch = asyncio.create_task(_disconnected(receive))
    watch.add_done_callback(hang_up)
    try:
        return await work
    except asyncio.CancelledError:
        if gone and worker.uncancel() == 0:
            raise ClientGone from None
        raise
    finally:
        over = True
        watch.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
