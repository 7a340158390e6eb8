"""`POST /api/tasks/{task_name}/run`: start a task, and wait for its end if asked to."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import Field

from rota.api import answer, wire
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers, router
from rota.api.form import Flag, Form, TaskName, Whole
from rota.api.front_end import front_end
from rota.api.problems import KINDS, Problem
from rota.api.shapes import Run
from rota.api.waiting import ended
from rota.model.run import EndReason, RunId
from rota.operations.trigger import trigger as start
from rota.storage.requests import Request

routes = router()

#: How a trigger that was turned away is said.
TURNED_AWAY = {EndReason.SKIPPED: KINDS["run-skipped"], EndReason.QUEUE_FULL: KINDS["queue-full"]}


class TriggerQuery(Form):
    """Whether to wait."""

    wait: Flag = Field(
        default=False,
        description="Answer when the run has ended, so that it says `exit_code` and `end_reason`.",
    )
    wait_timeout: Whole = Field(
        default=300,
        ge=1,
        le=3600,
        description="With `wait=true`: after so many seconds the run is answered as it stands, and goes on.",
    )


class TriggerHeaders(Form):
    """Which trigger this is."""

    key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Chosen by the client, anew for each start it means. For 24 hours a request with the "
        "same key starts nothing more, and is answered with the run of the first; `wait` may differ.",
    )


class TriggerBody(Form):
    """What the run is given."""

    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )
    params: dict[str, str | None] = Field(
        default_factory=dict,
        description="Values of the parameters that the task declares, by name; null leaves one out.",
    )


#: What an absent body means.
NO_BODY = TriggerBody()


@routes.post(
    "/api/tasks/{task_name}/run",
    name="trigger_task",
    tags=["tasks"],
    summary="Start a task",
    **answers(
        201,
        Run,
        "The run: pending or further; with `wait=true` it has ended, unless the wait timed out or the server "
        "stops.",
        "manual-trigger-off",
        "task-not-found",
        "run-not-found",
        "run-skipped",
        "key-reused",
        *WITH_BODY,
        "queue-full",
        "shutting-down",
        headers={"Location": "The run's own address."},
    ),
)
async def trigger(
    call: Call,
    task_name: TaskName,
    query: Annotated[TriggerQuery, Query()],
    headers: Annotated[TriggerHeaders, Header()],
    body: TriggerBody = NO_BODY,
) -> Any:
    """Starts the task and answers with its run, pending or already further.

    With `wait=true` the answer comes when the run has ended; how it went does not change the status. A client
    that goes away leaves the run going.
    """
    params = body.params
    triggered = await start(
        call.rota,
        task_name,
        triggered_by=front_end(call),
        params=params,
        request=None if headers.key is None else _request(call, headers.key, params),
    )
    run = triggered.run
    if triggered.turned_away is not None:
        problem = Problem(
            kind=TURNED_AWAY[triggered.turned_away],
            detail=run.message or TURNED_AWAY[triggered.turned_away].meaning,
            instance=f"/api/runs/{run.id}",
            run_id=run.id,
        )
        return answer.problem(problem, call.origin)
    if query.wait:
        run = await ended(call, run, query.wait_timeout)
    return answer.described(
        "Run",
        wire.run(run),
        call.origin,
        status=201,
        headers=[(b"location", f"/api/runs/{run.id}".encode())],
    )


def _request(call: Call, key: str, params: dict[str, str | None]) -> Request:
    # What the body means, not how it was written: order, white space and an absent body make no difference.
    meaning = json.dumps({"params": params}, sort_keys=True).encode()
    return Request(
        key=key,
        method=call.method,
        path=call.scope["path"],
        body_hash=hashlib.sha256(meaning).hexdigest(),
        run_id=RunId(""),
        status_code=201,
        at=datetime.now(UTC),
    )
