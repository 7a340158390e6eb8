"""The API over a real engine and store, with the keeper in the test's hands; by TCP, socket, or hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
from engine_bed import PATIENCE, Bed

from rota.api.app import create_app
from rota.operations.loading import Loading
from rota.operations.rota import Rota

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from rota.model.service import Service
    from rota.model.task import Task

TOKEN = "the-token-of-this-test-is-long-enough"
URL = "http://127.0.0.1:9477"


class Api:
    """One server's API: `tcp` sends the token along, `socket` comes by the data folder's own door."""

    def __init__(self, bed: Bed, token: str | None) -> None:
        self.bed = bed
        self.rota = Rota(
            engine=bed.engine,
            store=bed.store,
            bus=bed.bus,
            loading=Loading(read=lambda instead={}: bed.config, loaded_at=bed.clock.now()),
            data=bed.data,
            version="1.2.3",
            pid=4711,
            started_at=bed.clock.now(),
            url=URL,
        )
        self.app = create_app(self.rota, token=token)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        self.tcp = self._client(self.app, headers=bearer)
        self.stranger = self._client(self.app)
        self.socket = self._client(by_socket(self.app))

    async def close(self) -> None:
        for client in (self.tcp, self.stranger, self.socket):
            await client.aclose()
        await self.rota.searchers.close()

    def _client(self, app: Any, **settings: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url=URL, timeout=PATIENCE, **settings
        )


def by_socket(app: Any) -> Any:
    """The application as its Unix socket's clients reach it."""

    async def reached(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "server": ("/data/rota.sock", None), "client": None}, receive, send)

    return reached


@asynccontextmanager
async def api_of(
    data: Path, *definitions: Task | Service, token: str | None = TOKEN, **tables: Any
) -> AsyncIterator[Api]:
    bed = Bed(data, definitions, **tables)
    await bed.start()
    api = Api(bed, token)
    try:
        yield api
    finally:
        await api.close()
        await bed.stop()


class Conversation:
    """One request, held by hand: its client can go away, and reads the answer piece by piece."""

    def __init__(self, app: Any, method: str, target: str, headers: dict[str, str] | None = None) -> None:
        path, _, query = target.partition("?")
        given = {"host": "127.0.0.1:9477", "authorization": f"Bearer {TOKEN}"} | (headers or {})
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "server": ("127.0.0.1", 9477),
            "client": ("127.0.0.1", 40000),
        }
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task = asyncio.create_task(app(self._scope, self._incoming.get, self._outgoing.put))

    async def start(self) -> dict[str, Any]:
        """The answer's first message: status and headers."""
        message = await self._next()
        assert message["type"] == "http.response.start"
        return message

    async def piece(self) -> bytes | None:
        """The next piece of the body; None at its end."""
        message = await self._next()
        return message.get("body", b"") if message.get("more_body") else None

    async def event(self) -> dict[str, Any] | None:
        """The next server-sent event, as its fields; None at the end."""
        while (piece := await self.piece()) is not None:
            fields = dict(line.split(": ", 1) for line in piece.decode().strip().split("\n"))
            if "data" in fields:
                fields["data"] = json.loads(fields["data"])
                return fields
        return None

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def over(self) -> None:
        """Return when the server has done with it."""
        await asyncio.wait_for(self._task, PATIENCE)

    async def _next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._outgoing.get(), PATIENCE)
