"""Agents: the official MCP client, over HTTP and over `rota mcp`, of either era of the protocol."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from installed import PATIENCE, ROTA, environment
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from installed import Installed

ERAS = ("legacy", "2026-07-28")
WAYS = ("http", "stdio")


@dataclass
class Agent:
    """One client; its tools are its methods."""

    client: Client

    async def use(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a tool that could do what it was asked."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, text_of(answer)
        assert answer.structured_content is not None
        return answer.structured_content

    async def read(self, tool: str, **arguments: Any) -> str:
        """What it says in words."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, text_of(answer)
        return text_of(answer)

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Why a tool could not do what it was asked."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error, text_of(answer)
        return text_of(answer)


def text_of(answer: Any) -> str:
    [content] = answer.content
    return str(content.text)


@contextlib.asynccontextmanager
async def agent(
    rota: Installed, way: str = "http", era: str = "2026-07-28", **settings: Any
) -> AsyncIterator[Agent]:
    """A client that is connected."""
    if way == "stdio":
        command = ["mcp", "--data", str(rota.data), "--config", str(rota.config)]
        where = StdioServerParameters(command=ROTA, args=command, env=environment(), cwd=rota.folder)
        async with Client(where, mode=era, read_timeout_seconds=PATIENCE, **settings) as client:
            yield Agent(client)
        return
    token = (rota.data / "token").read_text().strip()
    async with (
        httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE, limits=httpx2.Limits()
        ) as http,
        Client(
            streamable_http_client(f"http://127.0.0.1:{rota.port}/mcp", http_client=http),
            mode=era,
            read_timeout_seconds=PATIENCE,
            **settings,
        ) as client,
    ):
        yield Agent(client)
