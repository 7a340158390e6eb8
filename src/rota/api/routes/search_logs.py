"""`GET /api/log/search` and `GET /api/tasks/{task_name}/log/search`: lines of many runs' logs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call, while_connected
from rota.api.describe import answers
from rota.api.form import Flag, Form, ServiceName, TaskName, Whole
from rota.api.route import Routes
from rota.api.shapes.log_search import LogMatches
from rota.logs.line import Stream
from rota.logs.pattern import LONGEST_PATTERN, Wanted
from rota.operations.get_service import check_no_service, check_service
from rota.operations.search_logs import SearchWanted
from rota.operations.search_logs import search_logs as search

routes = Routes()


class SearchQuery(Form):
    """What is looked for."""

    q: str = Field(
        min_length=1,
        max_length=LONGEST_PATTERN,
        description="The text that a line contains.",
        json_schema_extra={"pattern": r"^[^\n]*$"},
    )
    regex: Flag = Field(default=False, description="`q` is a regular expression, in the syntax of RE2.")
    case: Flag = Field(default=True, description="Upper and lower case differ.")
    stream: list[Stream] = Field(default=[], description="In lines of this stream; may be repeated.")
    limit: Whole = Field(default=100, ge=1, le=1000, description="How many lines at most.")
    budget: Whole = Field(
        default=10, ge=1, le=60, description="After so many seconds what was found is answered."
    )
    cursor: str | None = Field(default=None, description="`next_cursor` of the answer before.")


@routes.get(
    "/api/tasks/{task_name}/log/search",
    name="search_task_logs",
    tags=["tasks"],
    summary="Search the logs of a task",
    **answers(
        200, LogMatches, "What was found, and how far the search got.", "task-not-found", "task-is-service"
    ),
)
async def search_task(call: Call, task_name: TaskName, query: SearchQuery) -> Any:
    """Lines of the logs of one task's runs, newest runs first, in the order of the lines within each.

    A line matches as readers see it: settled, without colours, and whole, also where the other stream has
    interrupted it.
    """
    check_no_service(call.rota, task_name)
    return await _search(call, query, task_name)


@routes.get(
    "/api/services/{service_name}/log/search",
    name="search_service_log",
    tags=["services"],
    summary="Search the log of a service",
    **answers(200, LogMatches, "What was found, and how far the search got.", "service-not-found"),
)
async def search_service(call: Call, service_name: ServiceName, query: SearchQuery) -> Any:
    """The same through the logs of every life of a service."""
    check_service(call.rota, service_name)
    return await _search(call, query, service_name)


@routes.get(
    "/api/log/search",
    name="search_logs",
    tags=["runs"],
    summary="Search all logs",
    **answers(200, LogMatches, "What was found, and how far the search got."),
)
async def search_all(call: Call, query: SearchQuery) -> Any:
    """The same through the logs of every run."""
    return await _search(call, query, None)


async def _search(call: Call, query: SearchQuery, task_name: str | None) -> Any:
    wanted = SearchWanted(
        wanted=Wanted(text=query.q, regex=query.regex, case=query.case),
        task_name=task_name,
        streams=tuple(query.stream) or tuple(Stream),
        limit=query.limit,
        budget=query.budget,
        cursor=query.cursor,
    )
    found = await while_connected(call.receive, search(call.rota, wanted))
    return answer.described("LogMatches", LogMatches.as_json(found), call.origin)
