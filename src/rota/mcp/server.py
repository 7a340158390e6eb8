"""The server of the protocol: its methods, each handed on to where it is answered. Loading it takes long."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING, Any

import structlog
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from rota.mcp import completion, prompts, resources, tasks
from rota.mcp.caller import caller
from rota.mcp.catalogue import TOOLS
from rota.mcp.front import LARGEST_BODY, Front
from rota.mcp.guide import INSTRUCTIONS
from rota.mcp.refusal import sentence_of
from rota.mcp.tool import Later, refused
from rota.mcp.waits import Waits
from rota.mcp.watching import Watching
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server.context import ServerRequestContext
    from starlette.types import ASGIApp

    from rota.mcp.call import Call
    from rota.operations.rota import Rota

    Context = ServerRequestContext[Any, Any]

log = structlog.get_logger(__name__)

_CACHED: dict[CacheableMethod, CacheHint] = {
    "tools/list": CacheHint(ttl_ms=60_000, scope="private"),
    "prompts/list": CacheHint(ttl_ms=60_000, scope="private"),
    "resources/templates/list": CacheHint(ttl_ms=60_000, scope="private"),
    "resources/list": CacheHint(ttl_ms=0, scope="private"),
    "resources/read": CacheHint(ttl_ms=0, scope="private"),
    "server/discover": CacheHint(ttl_ms=60_000, scope="private"),
}


@contextlib.asynccontextmanager
async def serving(rota: Rota) -> AsyncIterator[ASGIApp]:
    """The application that answers at `/mcp`."""
    it = _Methods(rota)
    server = it.server()
    manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=LARGEST_BODY)
    async with manager.run(), it.watching.running():
        try:
            yield Front(StreamableHTTPASGIApp(manager))
        finally:
            await it.waits.close()


class _Methods:
    def __init__(self, rota: Rota) -> None:
        self._rota = rota
        self.waits = Waits(rota)
        self.watching = Watching(rota)

    def server(self) -> Server[Any]:
        """The SDK's server, with every method of ours."""
        server: Server[Any] = Server(
            "rota",
            title="Rota",
            version=self._rota.version,
            instructions=INSTRUCTIONS,
            cache_hints=_CACHED,
            get_tool_input_schema=lambda name: TOOLS[name].listed.input_schema if name in TOOLS else None,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,  # type: ignore[arg-type]  # a task is a result of an extension
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscriptions_listen=self.watching.listen,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
        )
        server.extensions[tasks.EXTENSION] = {}
        server.add_request_handler("tasks/get", tasks.TaskParams, self._get_task)
        server.add_request_handler("tasks/update", tasks.UpdateParams, self._update_task)
        server.add_request_handler("tasks/cancel", tasks.TaskParams, self._cancel_task)
        return server

    def _call(self, ctx: Context) -> Call:
        return caller(self._rota, self.waits, ctx)

    async def _list_tools(self, ctx: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        tier = self._call(ctx).tier
        config = self._rota.config
        return ListToolsResult(
            tools=[tool.listed for tool in TOOLS.values() if tier.covers(tool.tier) and tool.is_on(config)]
        )

    async def _call_tool(
        self, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult | dict[str, Any]:
        call = self._call(ctx)
        tool = TOOLS.get(params.name)
        if tool is None:
            return refused(_no_tool(call, params.name))
        if not call.tier.covers(tool.tier):
            return refused(
                f"{tool.name} is not open to this client: it needs the tier {tool.tier}, "
                f"and this is {call.tier}."
            )
        try:
            answer = await tool.use(call, params.arguments or {})
        except RotaError as error:
            return refused(sentence_of(error))
        except Exception:  # a defect of ours: the agent is told so much, the log the rest
            log.exception("a tool broke", tool=tool.name)
            return refused(f"{tool.name}: something went wrong within Rota; its log says what.")
        return tasks.created(answer.of) if isinstance(answer, Later) else answer.as_result()

    async def _list_resources(
        self, ctx: Context, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        return resources.listed(self._call(ctx), None if params is None else params.cursor)

    async def _list_templates(
        self, _ctx: Context, _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return resources.templates()

    async def _read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        return await resources.read(self._call(ctx), str(params.uri))

    async def _list_prompts(self, _ctx: Context, _params: PaginatedRequestParams | None) -> ListPromptsResult:
        return prompts.listed()

    async def _get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        return prompts.get(self._call(ctx), params.name, params.arguments or {})

    async def _complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        argument = params.argument
        return CompleteResult(
            completion=await completion.complete(self._call(ctx), argument.name, argument.value)
        )

    async def _get_task(self, ctx: Context, params: tasks.TaskParams) -> dict[str, Any]:
        tasks.check(ctx, params.task_id)
        return await tasks.get(self._call(ctx), params.task_id)

    async def _update_task(self, ctx: Context, params: tasks.UpdateParams) -> dict[str, Any]:
        tasks.check(ctx, params.task_id)
        return await tasks.update(self._call(ctx), params.task_id)

    async def _cancel_task(self, ctx: Context, params: tasks.TaskParams) -> dict[str, Any]:
        tasks.check(ctx, params.task_id)
        return await tasks.cancel(self._call(ctx), params.task_id)


def _no_tool(call: Call, name: str) -> str:
    open_ = [each.name for each in TOOLS.values() if call.tier.covers(each.tier)]
    nearest = difflib.get_close_matches(name, open_, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(open_)}."
    return f"There is no tool {name!r}; {hint}"
