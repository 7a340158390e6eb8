"""`GET /api/info`: what the server is."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.route import Routes
from rota.api.shapes.server import Info
from rota.operations import info as operation

routes = Routes()


@routes.get(
    "/api/info",
    name="get_info",
    tags=["server"],
    summary="Show the server",
    **answers(200, Info, "The server."),
)
async def info(call: Call) -> Any:
    """The server's version, its data folder and its configuration."""
    return answer.described("Info", Info.as_json(await operation.info(call.rota)), call.origin)
