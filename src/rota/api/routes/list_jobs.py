"""`GET /api/jobs`: the jobs, newest first."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.route import Routes
from rota.api.routes.list_runs import ListQuery
from rota.api.shapes.run import Run, RunPage
from rota.operations import list_jobs as operation

routes = Routes()


@routes.get(
    "/api/jobs",
    name="list_jobs",
    tags=["jobs"],
    summary="List jobs",
    **answers(200, RunPage, "A page of runs, all of them jobs."),
)
async def list_jobs(call: Call, query: ListQuery) -> Any:
    """Jobs, newest first; what follows a page is had with its `next_cursor` and the same filters."""
    page = await operation.list_jobs(call.rota, query.wanted(), limit=query.limit, cursor=query.cursor)
    body = {"items": [Run.as_json(each) for each in page.items], "next_cursor": page.next_cursor}
    return answer.described("RunPage", body, call.origin)
