"""`POST /api/runs/{run_id}/restore`: put back a run that was deleted."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, WHOLE_ID, Empty
from rota.api.route import Routes
from rota.api.shapes.run import Run
from rota.operations.restore import restore as put_back

routes = Routes()


@routes.post(
    "/api/runs/{run_id}/restore",
    name="restore_run",
    tags=["runs"],
    summary="Restore a deleted run",
    **answers(200, Run, "The run, as it was before.", "run-not-deleted", "tick-kept", *WITH_BODY),
)
async def restore(
    call: Call,
    run_id: Annotated[str, Field(pattern=WHOLE_ID, description="The run's whole id.")],
    body: Empty = NOTHING,  # noqa: ARG001  it takes none
) -> Any:
    """Puts back a run that was deleted, with its log, while that is possible (`[storage] keep_deleted`).

    `GET /api/runs?deleted=true` lists those.
    """
    return answer.described("Run", Run.as_json(await put_back(call.rota, run_id)), call.origin)
