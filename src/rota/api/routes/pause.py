"""`POST /api/…/pause`: nothing of a task, a group or everything starts by itself any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import Form, GroupName, TaskName
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.shapes.pause import PauseState
from rota.model.pause import LONGEST_REASON, PauseKind, Scope
from rota.operations.pause import pause as hold

if TYPE_CHECKING:
    from rota.api.answer import Answer

routes = Routes()


class PauseBody(Form):
    """Why."""

    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )
    reason: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_REASON,
        description="Why, for those who meet the pause. It replaces the reason of one that lasts already.",
    )


#: What an absent body means.
NO_REASON = PauseBody()

_PAUSED = (200, PauseState, "The pauses that hold it now.")


@routes.post(
    "/api/tasks/{task_name}/pause",
    name="pause_task",
    tags=["tasks"],
    summary="Pause a task",
    **answers(*_PAUSED, "task-not-found", "task-is-service", *WITH_BODY),
)
async def pause_task(call: Call, task_name: TaskName, body: PauseBody = NO_REASON) -> Any:
    """Holds what starts by itself, until `resume`, over restarts too.

    Ticks end as `missed` and are not caught up; what waits for its turn, retries, and runs for a time to
    come stay pending. Who starts a run by hand gets it all the same, and reads of the pause in
    `despite_pause`. What is paused already stays so.
    """
    return await _pause(call, Scope(kind=PauseKind.TASK, name=task_name), body)


@routes.post(
    "/api/groups/{group_name:path}/pause",
    name="pause_group",
    tags=["tasks"],
    summary="Pause a group",
    **answers(*_PAUSED, "group-not-found", *WITH_BODY),
)
async def pause_group(call: Call, group_name: GroupName, body: PauseBody = NO_REASON) -> Any:
    """Holds what starts by itself of all tasks that have this `group`, as `pause_task` does for one."""
    return await _pause(call, Scope(kind=PauseKind.GROUP, name=group_name), body)


@routes.post(
    "/api/pause",
    name="pause_all",
    tags=["tasks"],
    summary="Pause everything",
    **answers(*_PAUSED, *WITH_BODY),
)
async def pause_all(call: Call, body: PauseBody = NO_REASON) -> Any:
    """Holds what starts by itself of all tasks, and the jobs that wait. Services go on as they do."""
    return await _pause(call, Scope(kind=PauseKind.ALL), body)


async def _pause(call: Call, scope: Scope, body: PauseBody) -> Answer:
    pauses = await hold(call.rota, scope, reason=body.reason, actor=call.caller.actor, via=front_end(call))
    return answer.described("PauseState", PauseState.as_json(scope, pauses), call.origin)
