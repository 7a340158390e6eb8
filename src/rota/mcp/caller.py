"""The caller: what a request says of the client that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.auth.caller import Way
from rota.mcp import tasks
from rota.mcp.call import ENVIRON, FOLDER, Call
from rota.mcp.front import client_of, readable_name
from rota.model.tier import Tier

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from rota.mcp.waits import Waits
    from rota.operations.rota import Rota

#: How a bridge asks for less than the server allows.
TIER = "Rota-Tier"
#: How a bridge marks a request that it may repeat.
KEY = "Idempotency-Key"


def caller(rota: Rota, waits: Waits, ctx: ServerRequestContext[Any, Any]) -> Call:
    """Who asks, with what it brings along."""
    headers: Any = {} if ctx.request is None else ctx.request.headers
    way = Way.OPEN if ctx.request is None else Way(ctx.request.scope["rota.way"])
    meta: Any = ctx.meta or {}
    folder, environ = (meta.get(FOLDER), meta.get(ENVIRON)) if way is Way.SOCKET else (None, None)
    said = 0

    async def report(message: str) -> None:
        nonlocal said
        said += 1
        await ctx.session.report_progress(said, message=message)

    return Call(
        rota=rota,
        waits=waits,
        client=_name(ctx, headers),
        tier=_tier(rota, headers.get(TIER)),
        way=way,
        takes_tasks=tasks.are_known_to(ctx),
        key=headers.get(KEY) or None,
        folder=folder if isinstance(folder, str) else None,
        environ=_environ(environ),
        wants_progress=meta.get("progress_token") is not None or meta.get("progressToken") is not None,
        report=report,
    )


def _name(ctx: ServerRequestContext[Any, Any], headers: Any) -> str | None:
    params = ctx.session.client_params
    if params is not None:
        return readable_name(params.client_info.name)
    return client_of(headers.get("mcp-session-id"))


def _tier(rota: Rota, asked: str | None) -> Tier:
    allowed = rota.config.mcp.tier
    if asked is None:
        return allowed
    return allowed.within(Tier(asked)) if asked in set(Tier) else Tier.READ


def _environ(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    return {name: value for name, value in given.items() if isinstance(name, str) and isinstance(value, str)}
