"""`POST /api/runs/{run_id}/stop`: end a run, or cancel it while it is pending."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, Empty, RunIdInPath
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.shapes.run import Run
from rota.operations.stop import stop as end

routes = Routes()


@routes.post(
    "/api/runs/{run_id}/stop",
    name="stop_run",
    tags=["runs"],
    summary="Stop a run",
    **answers(
        202,
        Run,
        "The run as it stands now: a pending one has ended as `stopped`, a running one is on its way.",
        "run-not-found",
        "run-unclear",
        "run-ended",
        *WITH_BODY,
        "shutting-down",
    ),
)
async def stop(call: Call, run_id: RunIdInPath, body: Empty = NOTHING) -> Any:  # noqa: ARG001  it takes none
    """Ends a run politely (the task's `stop_signal`), then firmly (SIGKILL after its `grace`).

    A pending run is cancelled. The run's end comes as the event `run.ended`.
    """
    run = await end(call.rota, run_id, by=front_end(call))
    return answer.described("Run", Run.as_json(run), call.origin, status=202)
