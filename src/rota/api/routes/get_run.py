"""`GET /api/runs/{run_id}`: one run as it stands."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import RunIdInPath
from rota.api.route import Routes
from rota.api.shapes.run import Run
from rota.operations import get_run as operation

routes = Routes()


@routes.get(
    "/api/runs/{run_id}",
    name="get_run",
    tags=["runs"],
    summary="Show a run",
    **answers(200, Run, "The run.", "run-not-found", "run-unclear"),
)
async def get_run(call: Call, run_id: RunIdInPath) -> Any:
    """One run as it stands."""
    return answer.described("Run", Run.as_json(await operation.get_run(call.rota, run_id)), call.origin)
