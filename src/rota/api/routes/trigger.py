"""`POST /api/tasks/{task_name}/run`: start a task, and wait for its end if asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, WithJsonSchema

from rota.api import wire
from rota.api.call import Call
from rota.api.form import Form, MomentInBody, TaskName
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.starting import StartHeaders, StartQuery, answer_started, request_of, starts
from rota.operations.trigger import faults_of, meaning_of
from rota.operations.trigger import trigger as start

if TYPE_CHECKING:
    from rota.model.error import Fault

routes = Routes()

#: What may stand for a parameter in JSON. Whether it fits is the task's to say.
ParamValue = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")]})
]


class TriggerBody(Form):
    """What the run is given."""

    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )
    params: dict[str, ParamValue] = Field(
        default_factory=dict,
        description="Values of the parameters that the task declares, by name (as in its `params_schema`): "
        "text, or a number or boolean where the parameter is one. Null leaves a parameter out, also one that "
        "has a default; an empty text is a value; a name that is not given takes the default.",
    )
    at: MomentInBody | None = Field(
        default=None,
        description="When to start it, RFC 3339 with its zone: the run is pending until then, holds no slot, "
        "and can be cancelled. Left out: now.",
    )

    @classmethod
    def further_faults(cls, call: Call, body: object) -> list[Fault]:
        """What the task has against the parameters, and what is wrong with the time."""
        asked = cls.sound(body)
        return faults_of(call.rota, call.path_params["task_name"], params=asked.params, at=asked.at)


#: What an absent body means.
NO_BODY = TriggerBody()


@routes.post(
    "/api/tasks/{task_name}/run",
    name="trigger_task",
    tags=["tasks"],
    summary="Start a task",
    **starts("manual-trigger-off", "task-not-found", "task-is-service", "run-skipped"),
)
async def trigger(
    call: Call,
    task_name: TaskName,
    query: StartQuery,
    headers: StartHeaders,
    body: TriggerBody = NO_BODY,
) -> Any:
    """Starts the task and answers with its run, pending or already further.

    With `wait=true` the answer comes when the run has ended; how it went does not change the status. A client
    that goes away leaves the run going.
    """
    request = None
    if headers.key is not None:
        meaning = {"params": await meaning_of(call.rota, task_name, body.params)}
        at = {} if body.at is None else {"at": wire.moment(body.at)}
        request = request_of(call, headers.key, meaning | at)
    triggered = await start(
        call.rota,
        task_name,
        triggered_by=front_end(call),
        params=body.params,
        at=body.at,
        actor=call.caller.actor,
        request=request,
    )
    return await answer_started(call, triggered, query)
