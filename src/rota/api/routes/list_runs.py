"""`GET /api/runs`: the history, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import Flag, Form, Moment, Whole
from rota.api.route import Routes
from rota.api.shapes.run import Run, RunPage
from rota.model.run import EndReason, Kind, Status, TriggeredBy
from rota.model.task import NAME
from rota.operations import list_runs as operation
from rota.storage.page import RunFilter, split_cursor

routes = Routes()


def _cursor(text: str) -> str:
    split_cursor(text)
    return text


#: One of ours. Whether it is of this list, only all filters together can tell.
Cursor = Annotated[str, AfterValidator(_cursor)]


class Filter(Form):
    """Which runs. A filter that is given more than once lets through what any of its values does."""

    name: str | None = Field(default=None, min_length=1, description="Jobs of this name.")
    tag: list[str] = Field(default=[], description="Jobs that have this tag; may be repeated.")
    status: list[Status] = Field(default=[], description="Where they are in their life; may be repeated.")
    end_reason: list[EndReason] = Field(default=[], description="How they went; may be repeated.")
    is_failure: Flag | None = Field(
        default=None, description="Ended ones that their task counts as failures, or those that it does not."
    )
    triggered_by: list[TriggeredBy] = Field(default=[], description="What started them; may be repeated.")
    created_after: Moment | None = Field(
        default=None, description="Created at this time or later (RFC 3339)."
    )
    created_before: Moment | None = Field(default=None, description="Created before this time (RFC 3339).")

    def wanted(self) -> RunFilter:
        """The filter that they are together."""
        return RunFilter(
            name=self.name,
            tags=frozenset(self.tag) or None,
            status=frozenset(self.status) or None,
            end_reason=frozenset(self.end_reason) or None,
            is_failure=self.is_failure,
            triggered_by=frozenset(self.triggered_by) or None,
            created_after=self.created_after,
            created_before=self.created_before,
        )


class ListQuery(Filter):
    """Which runs, and how many of them."""

    limit: Whole = Field(default=50, ge=1, le=1000, description="How many at most.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class RunsFilter(Filter):
    """Which runs, of which tasks or jobs."""

    task_name: str | None = Field(default=None, pattern=NAME.pattern, description="Runs of this task.")
    kind: list[Kind] = Field(default=[], description="What they are executions of; may be repeated.")

    def wanted(self) -> RunFilter:
        """The filter that they are together."""
        return replace(super().wanted(), task_name=self.task_name, kind=frozenset(self.kind) or None)


class RunsQuery(RunsFilter, ListQuery):
    """Which runs, and how many of them."""

    deleted: Flag = Field(default=False, description="Those that were deleted and can be restored, instead.")


@routes.get(
    "/api/runs",
    name="list_runs",
    tags=["runs"],
    summary="List runs",
    **answers(200, RunPage, "A page of runs."),
)
async def list_runs(call: Call, query: RunsQuery) -> Any:
    """Runs, newest first; what follows a page is had with its `next_cursor` and the same filters."""
    page = await operation.list_runs(
        call.rota, query.wanted(), limit=query.limit, cursor=query.cursor, deleted=query.deleted
    )
    body = {"items": [Run.as_json(each) for each in page.items], "next_cursor": page.next_cursor}
    return answer.described("RunPage", body, call.origin)
