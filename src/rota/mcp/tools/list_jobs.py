"""`list_jobs`: ad-hoc commands, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, Cursor, Limit, OneStatus
from rota.mcp.job_facts import JobFacts, job_facts
from rota.mcp.tool import Answer, Tool
from rota.mcp.tools.list_runs import MOST_COUNTED, filter_of, line_of
from rota.model.run import Kind
from rota.operations.list_jobs import list_jobs as some_jobs

if TYPE_CHECKING:
    from rota.mcp.call import Call


class ListJobs(Arguments):
    """Which jobs."""

    status: OneStatus = None
    name: Annotated[str | None, Field(description="Only jobs of this name.")] = None
    tag: Annotated[str | None, Field(description="Only jobs with this tag.")] = None
    limit: Limit = 20
    cursor: Cursor = None


class JobList(TypedDict, total=False):
    """Jobs, newest first."""

    jobs: Required[list[JobFacts]]
    total: Required[int]
    next_cursor: str
    next: str


async def list_jobs(call: Call, it: ListJobs) -> Answer:
    """A page of them."""
    wanted = replace(
        filter_of(it.status),
        kind=frozenset({Kind.JOB}),
        name=it.name,
        tags=None if it.tag is None else frozenset({it.tag}),
    )
    page = await some_jobs(call.rota, wanted, limit=it.limit, cursor=it.cursor)
    total = await call.rota.store.count_runs(wanted, most=MOST_COUNTED)
    shown = [call.rota.engine.runs.shown(run) for run in page.items]
    data = {
        "jobs": [job_facts(call, run) for run in shown],
        "total": total,
        "next_cursor": page.next_cursor,
        "next": "get_job_status(job_id) shows one, tail_job_output its output, wait_for_run its end.",
    }
    lines = [f"{total} job{'' if total == 1 else 's'}", *(line_of(call, run) for run in shown)]
    if page.next_cursor is not None:
        lines.append(f"(older: cursor={page.next_cursor!r})")
    return Answer(text="\n".join(lines), data=data)


TOOL = Tool(
    name="list_jobs",
    title="List jobs",
    description="List ad-hoc commands, running and past, newest first. For runs of tasks use list_runs.",
    takes=ListJobs,
    gives=JobList,
    act=list_jobs,
)
