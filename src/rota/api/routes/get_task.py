"""`GET /api/tasks/{task_name}`: one task."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import TaskName
from rota.api.route import Routes
from rota.api.shapes.task import Task
from rota.operations import get_task as operation

routes = Routes()


@routes.get(
    "/api/tasks/{task_name}",
    name="get_task",
    tags=["tasks"],
    summary="Show a task",
    **answers(200, Task, "The task.", "task-not-found", "task-is-service"),
)
async def get_task(call: Call, task_name: TaskName) -> Any:
    """A task's definition, its next ticks, its last runs, and whether it runs now."""
    return answer.described("Task", Task.as_json(await operation.get_task(call.rota, task_name)), call.origin)
