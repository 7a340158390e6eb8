"""`GET /api/runs`: the history, newest first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from rota.api import answer, wire
from rota.api.call import Call
from rota.api.describe import answers, router
from rota.api.form import Form, Moment, Whole
from rota.api.shapes import RunPage
from rota.model.run import EndReason, Status, TriggeredBy
from rota.model.task import NAME
from rota.operations import list_runs as operation
from rota.storage.page import RunFilter

routes = router()


class RunsQuery(Form):
    """Which runs. A filter that is given more than once lets through what any of its values does."""

    task_name: str | None = Field(default=None, pattern=NAME.pattern, description="Runs of this task.")
    status: list[Status] = Field(default=[], description="Where they are in their life; may be repeated.")
    end_reason: list[EndReason] = Field(default=[], description="How they went; may be repeated.")
    triggered_by: list[TriggeredBy] = Field(default=[], description="What started them; may be repeated.")
    created_after: Moment | None = Field(
        default=None, description="Created at this time or later (RFC 3339)."
    )
    created_before: Moment | None = Field(default=None, description="Created before this time (RFC 3339).")
    limit: Whole = Field(default=50, ge=1, le=1000, description="How many at most.")
    cursor: str | None = Field(default=None, description="`next_cursor` of the page before.")


@routes.get(
    "/api/runs",
    name="list_runs",
    tags=["runs"],
    summary="List runs",
    **answers(200, RunPage, "A page of runs."),
)
async def list_runs(call: Call, query: Annotated[RunsQuery, Query()]) -> Any:
    """Runs, newest first; what follows a page is had with its `next_cursor` and the same filters."""
    wanted = RunFilter(
        task_name=query.task_name,
        status=frozenset(query.status) or None,
        end_reason=frozenset(query.end_reason) or None,
        triggered_by=frozenset(query.triggered_by) or None,
        created_after=query.created_after,
        created_before=query.created_before,
    )
    page = await operation.list_runs(call.rota, wanted, limit=query.limit, cursor=query.cursor)
    body = {"items": [wire.run(each) for each in page.items], "next_cursor": page.next_cursor}
    return answer.described("RunPage", body, call.origin)
