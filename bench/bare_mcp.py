"""The floor of MCP: the official SDK's own server, whose one tool spawns a program and forgets it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import uuid
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool
from starlette.applications import Starlette
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Where it answers, as Rota does.
PATH = "/mcp"

_TOOL = Tool(name="execute_command", input_schema={"type": "object"})


async def _list(_ctx: Any, _params: Any) -> ListToolsResult:
    return ListToolsResult(tools=[_TOOL])


async def _call(_ctx: Any, _params: CallToolRequestParams) -> CallToolResult:
    os.posix_spawn("/bin/true", ["true"], os.environ, setsigdef=[signal.SIGCHLD])
    job_id = str(uuid.uuid4())
    return CallToolResult(
        content=[TextContent(type="text", text=job_id)], structured_content={"job_id": job_id}
    )


def main() -> None:
    """Serve on the port that is named, until a signal."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    manager = StreamableHTTPSessionManager(
        Server("bare", on_list_tools=_list, on_call_tool=_call), stateless=True
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    app = Starlette(routes=[Route(PATH, StreamableHTTPASGIApp(manager))], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
