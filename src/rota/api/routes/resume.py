"""`POST /api/…/resume`: what a pause held goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, Empty, GroupName, TaskName
from rota.api.route import Routes
from rota.api.shapes.pause import PauseState
from rota.model.pause import PauseKind, Scope
from rota.operations.resume import resume as let_go

if TYPE_CHECKING:
    from rota.api.answer import Answer

routes = Routes()

_RESUMED = (200, PauseState, "The pauses that hold it all the same; none: it goes on.")


@routes.post(
    "/api/tasks/{task_name}/resume",
    name="resume_task",
    tags=["tasks"],
    summary="Resume a task",
    **answers(*_RESUMED, "task-not-found", "task-is-service", *WITH_BODY),
)
async def resume_task(call: Call, task_name: TaskName, body: Empty = NOTHING) -> Any:  # noqa: ARG001  it takes none
    """Ends the pause of the task itself; one of its group, or of everything, holds it all the same."""
    return await _resume(call, Scope(kind=PauseKind.TASK, name=task_name))


@routes.post(
    "/api/groups/{group_name:path}/resume",
    name="resume_group",
    tags=["tasks"],
    summary="Resume a group",
    **answers(*_RESUMED, "group-not-found", *WITH_BODY),
)
async def resume_group(call: Call, group_name: GroupName, body: Empty = NOTHING) -> Any:  # noqa: ARG001
    """Ends the pause of the group; tasks that are paused themselves stay so."""
    return await _resume(call, Scope(kind=PauseKind.GROUP, name=group_name))


@routes.post(
    "/api/resume",
    name="resume_all",
    tags=["tasks"],
    summary="Resume everything",
    **answers(*_RESUMED, *WITH_BODY),
)
async def resume_all(call: Call, body: Empty = NOTHING) -> Any:  # noqa: ARG001
    """Ends the pause of everything; tasks and groups that are paused themselves stay so."""
    return await _resume(call, Scope(kind=PauseKind.ALL))


async def _resume(call: Call, scope: Scope) -> Answer:
    pauses = await let_go(call.rota, scope)
    return answer.described("PauseState", PauseState.as_json(scope, pauses), call.origin)
