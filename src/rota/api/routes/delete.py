"""`DELETE /api/runs/{run_id}`: delete a run that has ended."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import RunIdInPath
from rota.api.route import Routes
from rota.api.shapes.run import Run
from rota.operations.delete import delete as let_go

routes = Routes()


@routes.delete(
    "/api/runs/{run_id}",
    name="delete_run",
    tags=["runs"],
    summary="Delete a run",
    **answers(
        200,
        Run,
        "The run as it was, and `deleted_at`.",
        "run-not-found",
        "run-unclear",
        "run-not-ended",
        "tick-kept",
    ),
)
async def delete(call: Call, run_id: RunIdInPath) -> Any:
    """Deletes a run that has ended, with its log.

    For as long as `[storage] keep_deleted` says, it can be restored.
    """
    return answer.described("Run", Run.as_json(await let_go(call.rota, run_id)), call.origin)
