"""`GET /api/tasks/{task_name}/revisions`: the definitions that a task has had."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import TaskName
from rota.api.route import Routes
from rota.api.shapes.revision import Revision, Revisions
from rota.operations import revisions as operation

routes = Routes()

Number = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="A run's `revision`: definitions are counted from 1 on.")
]


@routes.get(
    "/api/tasks/{task_name}/revisions",
    name="list_revisions",
    tags=["tasks"],
    summary="List a task's definitions",
    **answers(200, Revisions, "Its definitions, the newest first.", "task-not-found"),
)
async def list_revisions(call: Call, task_name: TaskName) -> Any:
    """The definitions that a task has had, as long as they are kept; those of a task that is gone, too."""
    items = [Revision.as_json(each) for each in await operation.revisions(call.rota, task_name)]
    return answer.described("Revisions", {"items": items}, call.origin)


@routes.get(
    "/api/tasks/{task_name}/revisions/{revision}",
    name="get_revision",
    tags=["tasks"],
    summary="Show a task's definition as it was",
    **answers(200, Revision, "The definition.", "task-not-found", "revision-not-found"),
)
async def get_revision(call: Call, task_name: TaskName, revision: Number) -> Any:
    """The definition under which runs of this `revision` were started. Of secrets it has the names alone."""
    it = await operation.revision(call.rota, task_name, revision)
    return answer.described("Revision", Revision.as_json(it), call.origin)
