"""`GET /api/info`: what the server is."""

from __future__ import annotations

from typing import Any

from rota.api import answer, wire
from rota.api.call import Call
from rota.api.describe import answers, router
from rota.api.shapes import Info
from rota.operations import info as operation

routes = router()


@routes.get(
    "/api/info",
    name="get_info",
    tags=["server"],
    summary="Show the server",
    **answers(200, Info, "The server."),
)
async def info(call: Call) -> Any:
    """The server's version, its data folder and its configuration."""
    it = await operation.info(call.rota)
    body = {
        "version": it.version,
        "pid": it.pid,
        "started_at": wire.moment(it.started_at),
        "url": it.url,
        "data": str(it.data),
        "config": None if it.config is None else str(it.config),
        "timezone": it.timezone,
        "store_id": it.store_id,
        "tasks": it.tasks,
        "warnings": list(it.warnings),
        "pauses": [wire.pause(each) for each in it.pauses],
        "config_changed": it.changed,
        "config_loaded_at": wire.moment(it.loaded_at),
        "config_refused": None if it.refusal is None else wire.refusal(it.refusal),
    }
    return answer.described("Info", body, call.origin)
