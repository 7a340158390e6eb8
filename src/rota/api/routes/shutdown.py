"""`POST /api/shutdown`: end every run, the keeper and the server. The Unix socket's alone."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import NOTHING, Empty
from rota.api.route import OwnersRoute, Routes
from rota.api.shapes.server import Shutdown
from rota.operations import shutdown as operation

routes = Routes(OwnersRoute)


@routes.post(
    "/api/shutdown",
    include_in_schema=False,
    **answers(202, Shutdown, "What is being ended."),
)
async def shutdown(call: Call, body: Empty = NOTHING) -> Any:  # noqa: ARG001  it takes none
    """Answers at once; the connection's end tells that the server has left."""
    it = operation.shutdown(call.rota)
    leaving = {"pid": it.pid, "running": it.running, "pending": it.pending}
    return answer.described("Shutdown", leaving, call.origin, status=202)
