"""The room at `/mcp`: it is furnished when the first client comes, since most servers never meet one.

The SDK takes 24 MB and the better part of a second to load; it is loaded beside the event loop.
"""

from __future__ import annotations

import asyncio
import gc
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rota.operations.rota import Rota

#: Where it is.
PATH = "/mcp"


class Room:
    """The ASGI application. Stopping it twice, or before anybody came, is fine."""

    def __init__(self) -> None:
        self._app: asyncio.Future[ASGIApp] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = await self._opened(scope["rota"])
        await app(scope, receive, send)

    async def stop(self) -> None:
        """Send away whoever is still there."""
        self._leaving.set()
        if self._serving is not None:
            await self._serving

    async def _opened(self, rota: Rota) -> ASGIApp:
        if self._app is None or (self._app.done() and self._app.exception() is not None):
            self._app = asyncio.get_running_loop().create_future()
            self._serving = asyncio.create_task(self._serve(rota, self._app), name="mcp")
        # Who goes away while it is furnished takes nothing from those who wait beside him.
        return await asyncio.shield(self._app)

    async def _serve(self, rota: Rota, opened: asyncio.Future[ASGIApp]) -> None:
        try:
            server = await asyncio.to_thread(import_module, "rota.mcp.server")
            gc.freeze()  # what was loaded stays: looking through it for garbage would stall every answer
            async with server.serving(rota) as app:
                opened.set_result(app)
                await self._leaving.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)
