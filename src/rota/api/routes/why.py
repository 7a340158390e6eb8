"""`GET /api/tasks/{task_name}/why`: what became of a task's last ticks, and which come next."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import Form, TaskName, Whole
from rota.api.route import Routes
from rota.api.shapes.tick import Why
from rota.operations.why import why as operation

routes = Routes()


class WhyQuery(Form):
    """How far to look back."""

    ticks: Whole = Field(default=100, ge=1, le=1000, description="On how many of the last ticks, at most.")


@routes.get(
    "/api/tasks/{task_name}/why",
    name="explain_ticks",
    tags=["tasks"],
    summary="Explain a task's ticks",
    **answers(
        200, Why, "What became of the last ticks, and which come next.", "task-not-found", "task-is-service"
    ),
)
async def why(call: Call, task_name: TaskName, query: WhyQuery) -> Any:
    """What became of each of the last ticks (it ran, was skipped, was missed), and when the next ten are.

    Ticks in a row of which the same became are one entry with a count. No tick goes untold.
    """
    return answer.described(
        "Why", Why.as_json(await operation(call.rota, task_name, ticks=query.ticks)), call.origin
    )
