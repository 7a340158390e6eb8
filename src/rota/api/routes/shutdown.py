"""`POST /api/shutdown`: end every run, the keeper and the server. The Unix socket's alone."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers, router
from rota.api.form import Empty
from rota.api.refused import RouteNotFound
from rota.api.shapes import Shutdown
from rota.operations import shutdown as operation

routes = router()


@routes.post(
    "/api/shutdown",
    include_in_schema=False,
    openapi_extra={"x-rota-socket-only": True},
    **answers(202, Shutdown, "What is being ended."),
)
async def shutdown(call: Call, body: Empty | None = None) -> Any:  # noqa: ARG001  it takes none
    """Answers at once; the connection's end tells that the server has left."""
    if not call.by_socket:
        raise RouteNotFound(call.url.path)
    it = operation.shutdown(call.rota)
    body_ = {"pid": it.pid, "running": it.running, "pending": it.pending}
    return answer.described("Shutdown", body_, call.origin, status=202)
