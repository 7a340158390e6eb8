"""`list_runs`: past and present runs, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, Cursor, Limit, OneStatus, OneTask
from rota.mcp.facts import RunFacts, StatusWord, run_facts
from rota.mcp.job_facts import due
from rota.mcp.names import task_name
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import Word, distance, name_of, told, utc_now
from rota.model.run import EndReason, Status
from rota.operations.list_runs import list_runs as some_runs
from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run

#: A total is counted up to here.
MOST_COUNTED = 100_000


class ListRuns(Arguments):
    """Which runs."""

    task_id: OneTask = None
    status: OneStatus = None
    is_failure: Annotated[
        bool | None, Field(description="Only ends that their task counts as failures; false: the others.")
    ] = None
    limit: Limit = 20
    cursor: Cursor = None


class RunList(TypedDict, total=False):
    """Runs, newest first."""

    runs: Required[list[RunFacts]]
    total: Required[int]
    next_cursor: str
    next: str


async def list_runs(call: Call, it: ListRuns) -> Answer:
    """A page of them."""
    name = None if it.task_id is None else await task_name(call, it.task_id)
    wanted = replace(filter_of(it.status, name), is_failure=it.is_failure)
    page = await some_runs(call.rota, wanted, limit=it.limit, cursor=it.cursor)
    total = await call.rota.store.count_runs(wanted, most=MOST_COUNTED)
    shown = [call.rota.engine.runs.shown(run) for run in page.items]
    data = {
        "runs": [run_facts(call, run) for run in shown],
        "total": total,
        "next_cursor": page.next_cursor,
        "next": "get_run(run_id) shows one with its output, diagnose_run(run_id) says why it failed.",
    }
    lines = [f"{total} run{'' if total == 1 else 's'}", *(line_of(call, run) for run in shown)]
    if page.next_cursor is not None:
        lines.append(f"(older: cursor={page.next_cursor!r})")
    return Answer(text="\n".join(lines), data=data)


def filter_of(status: StatusWord | None, name: str | None = None) -> RunFilter:
    """The store's words for an agent's."""
    match status and Word(status):
        case None:
            return RunFilter(task_name=name)
        case Word.PENDING:
            return RunFilter(task_name=name, status=frozenset({Status.PENDING}))
        case Word.RUNNING:
            return RunFilter(task_name=name, status=frozenset({Status.RUNNING}))
        case Word.COMPLETED:
            return RunFilter(task_name=name, end_reason=frozenset({EndReason.SUCCESS}))
        case Word.KILLED:
            return RunFilter(task_name=name, end_reason=frozenset({EndReason.STOPPED}))
    failed = frozenset(EndReason) - {EndReason.SUCCESS, EndReason.STOPPED}
    return RunFilter(task_name=name, end_reason=failed)


def line_of(call: Call, run: Run) -> str:
    """A run on one line."""
    now = utc_now()
    if run.status is Status.PENDING:
        when = due(call, run) or f"asked for {distance(run.created_at, now)}"
    elif run.status is Status.RUNNING:
        when = f"started {distance(run.start_at or run.created_at, now)}"
    else:
        when = f"ended {distance(run.end_at or run.created_at, now)}"
    return f"{run.id} {name_of(run)} {told(run)}, {when}"


TOOL = Tool(
    name="list_runs",
    title="List runs",
    description="List runs of tasks and jobs, newest first, by task or status. For jobs alone use list_jobs.",
    takes=ListRuns,
    gives=RunList,
    act=list_runs,
)
