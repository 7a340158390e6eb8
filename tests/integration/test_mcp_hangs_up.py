"""Who hangs up over MCP ends its own wait on the server, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import TOKEN, api_of
from engine_bed import PATIENCE

from rota.api.app import create_app
from rota.mcp.room import PATH, Room
from rota.model.run import Status
from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path

MODERN = "2026-07-28"
HEADERS = {
    "host": "127.0.0.1:9477",
    "authorization": f"Bearer {TOKEN}",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
}


class Caller:
    """One request, whose client can hang up."""

    def __init__(self, app: Any, tool: str, arguments: dict[str, Any], *, modern: bool) -> None:
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {"name": tool, "arguments": arguments} | ({"_meta": meta} if modern else {})
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        extra = (
            {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool} if modern else {}
        )
        headers = HEADERS | extra
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http",
            "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 9477), "client": ("127.0.0.1", 40000),
        }  # fmt: skip
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.sent: list[dict[str, Any]] = []
        self.task = asyncio.create_task(app(scope, self._incoming.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "handshake"])
@pytest.mark.parametrize("until", [{}, {"text": "never"}, {"port": 1}], ids=["end", "text", "port"])
async def test_a_wait_ends_with_its_client_and_the_run_goes_on(
    tmp_path: Path, until: dict[str, Any], modern: bool
) -> None:
    async with api_of(tmp_path, Task(name="job", run="true")) as api:
        room = Room()
        app = create_app(api.rota, token=TOKEN, rooms={PATH: room})
        run = (await api.tcp.post("/api/tasks/job/run")).json()
        before = running_tasks()
        caller = Caller(app, "wait_for_run", {"run_ids": [run["id"]], **until}, modern=modern)
        await until_true(lambda: waits(api.rota, run["id"]))

        caller.hang_up()

        await asyncio.wait_for(asyncio.wait({caller.task}), PATIENCE)
        await until_true(lambda: not waits(api.rota, run["id"]))
        await until_true(lambda: not {name for name in running_tasks() - before if run["id"] in name})
        kept = await api.rota.store.run(run["id"])
        await room.stop()

    assert kept is not None
    assert kept.status is not Status.ENDED


def waits(rota: Any, run_id: str) -> bool:
    """Whether somebody waits for the run: for its end, or by following its log."""
    return run_id in rota.engine._waiters._waiting or run_id in rota.live_logs._live


def running_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def until_true(true: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)
