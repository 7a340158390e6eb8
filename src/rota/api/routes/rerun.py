"""`POST /api/runs/{run_id}/rerun`: do again what a run did."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api.call import Call
from rota.api.form import Form, RunIdInPath
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.routes.start_job import Environment
from rota.api.routes.trigger import ParamValue
from rota.api.starting import StartHeaders, StartQuery, answer_started, request_of, starts
from rota.operations.once import kept
from rota.operations.rerun import Anew
from rota.operations.rerun import rerun as start

routes = Routes()


class RerunBody(Form):
    """What is new about it."""

    params: dict[str, ParamValue] = Field(
        default_factory=dict,
        description="Parameters of its task that are to be others than before. A secret is not kept, and has "
        "to be given again, unless the task has a default for it.",
    )
    env: Environment = Field(
        default_factory=dict,
        description="Of a job: its environment variables again (`env` of the run names them), since their "
        "values are not kept; and more of them.",
    )


#: What an absent body means.
NO_BODY = RerunBody()


@routes.post(
    "/api/runs/{run_id}/rerun",
    name="rerun_run",
    tags=["runs"],
    summary="Run a run again",
    **starts("run-unclear", "task-not-found", "manual-trigger-off", "jobs-off", "job-refused", "run-skipped"),
)
async def rerun(
    call: Call,
    run_id: RunIdInPath,
    query: StartQuery,
    headers: StartHeaders,
    body: RerunBody = NO_BODY,
) -> Any:
    """Starts a new run of the same task, by its definition of today, with the same parameters; or the
    same job.

    `rerun_of_run_id` of the new run names the one before. With `wait=true` the answer comes when it has
    ended.
    """
    request = None
    if headers.key is not None:
        given = {**body.params, **body.env}
        digests = await kept(
            call.rota, {name: str(value) for name, value in given.items() if value is not None}
        )
        request = request_of(call, headers.key, {name: digests.get(name) for name in given})
    triggered = await start(
        call.rota,
        run_id,
        Anew(params=body.params, env=body.env),
        caller=call.caller,
        triggered_by=front_end(call),
        request=request,
    )
    return await answer_started(call, triggered, query)
