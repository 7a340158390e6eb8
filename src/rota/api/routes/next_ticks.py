"""`GET /api/next`: what starts next by itself, of all tasks."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import Form, Whole
from rota.api.route import Routes
from rota.api.shapes.tick import NextTick, NextTicks
from rota.operations import next_ticks as operation

routes = Routes()


class NextQuery(Form):
    """How far to look ahead."""

    limit: Whole = Field(default=10, ge=1, le=1000, description="How many at most.")


@routes.get(
    "/api/next",
    name="list_next_ticks",
    tags=["tasks"],
    summary="List what starts next",
    **answers(200, NextTicks, "The next ticks of all tasks."),
)
async def next_ticks(call: Call, query: NextQuery) -> Any:
    """The next ticks of all tasks, and the pending runs that are not due yet, as they are due."""
    items = [NextTick.as_json(each) for each in operation.next_ticks(call.rota, limit=query.limit)]
    return answer.described("NextTicks", {"items": items}, call.origin)
