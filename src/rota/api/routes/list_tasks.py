"""`GET /api/tasks`: every task, with its next tick and its last run."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer, name_cursor
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import Form, Whole
from rota.api.name_cursor import NameCursor
from rota.api.route import Routes
from rota.api.shapes.task import Task, TaskPage
from rota.operations import list_tasks as operation

routes = Routes()


class TasksQuery(Form):
    """Which page of the tasks."""

    limit: Whole = Field(default=1000, ge=1, le=10_000, description="How many at most.")
    cursor: NameCursor | None = Field(default=None, description="`next_cursor` of the page before.")


@routes.get(
    "/api/tasks",
    name="list_tasks",
    tags=["tasks"],
    summary="List tasks",
    **answers(200, TaskPage, "A page of tasks."),
)
async def list_tasks(call: Call, query: TasksQuery) -> Any:
    """Tasks by name, each with its next tick and its last run."""
    page = await operation.list_tasks(call.rota, limit=query.limit, after=query.cursor)
    body = {
        "items": [Task.as_json(each) for each in page.items],
        "next_cursor": None if page.next_name is None else name_cursor.write(page.next_name),
    }
    return answer.described("TaskPage", body, call.origin)
