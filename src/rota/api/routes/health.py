"""`GET /health`: whether Rota can do its work. It needs no token."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.problems import KINDS, Problem
from rota.api.route import Routes
from rota.api.shapes.server import Health
from rota.model.error import Fault
from rota.operations import health as operation

routes = Routes()


@routes.get(
    "/health",
    name="get_health",
    tags=["server"],
    summary="Ask whether all is well",
    openapi_extra={"security": []},
    **answers(200, Health, "All is well.", "unhealthy"),
)
async def health(call: Call) -> Any:
    """Answers 200 when Rota can do all of its work, and else 503 with what is wrong."""
    it = operation.health(call.rota)
    if it.ok:
        return answer.described("Health", {"ok": True, "problems": []}, call.origin)
    problem = Problem(
        kind=KINDS["unhealthy"],
        detail="; ".join(it.problems),
        errors=[Fault(location="server", message=each) for each in it.problems],
        headers=((b"retry-after", b"5"),),
    )
    return answer.problem(problem, call.origin)
