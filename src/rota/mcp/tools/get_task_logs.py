"""`get_task_logs`: the log of a task's latest run, or of any run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.logs.pattern import Wanted
from rota.mcp.arguments import Arguments, Budget, Since
from rota.mcp.excerpt import BUDGET, excerpt, fenced
from rota.mcp.facts import StatusWord
from rota.mcp.names import job, task_name
from rota.mcp.refusal import Refusal
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import name_of, told, word_of
from rota.model.run import Status
from rota.operations.read_lines import Grep

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run


class GetTaskLogs(Arguments):
    """Whose log, and which part."""

    task_id: Annotated[
        int | str | None, Field(description="The task, by name or number, or a service: its latest run.")
    ] = None
    run_id: Annotated[str | None, Field(description="Or any run, by its id.")] = None
    mode: Annotated[
        Literal["tail", "head"], Field(description="tail: the last lines. head: from the beginning.")
    ] = "tail"
    lines: Annotated[int, Field(ge=1, le=1000, description="At most so many lines.")] = 1000
    grep: Annotated[str | None, Field(description='Only lines with this text, such as "ERROR".')] = None
    cursor: Since = None
    max_chars: Budget = BUDGET


class TaskLog(TypedDict, total=False):
    """Some of a log."""

    run_id: Required[str]
    task: str
    status: Required[StatusWord]
    log: Required[str]
    more: bool
    next_cursor: str
    total_lines: int
    dropped_lines: int
    next: str


async def get_task_logs(call: Call, it: GetTaskLogs) -> Answer:
    """Both streams in order of arrival."""
    run = await _run(call, it)
    found = await excerpt(
        call,
        run.id,
        tail=it.mode == "tail" and it.cursor is None,
        lines=it.lines,
        budget=it.max_chars,
        since=it.cursor,
        grep=None if it.grep is None else Grep(wanted=Wanted(text=it.grep)),
    )
    text = found.text()
    facts = found.facts()
    data = {
        "run_id": run.id,
        "task": run.task_name,
        "status": word_of(run),
        "log": text,
        **facts,
        "next": _next(run, facts["next_cursor"], more=found.more),
    }
    said = f"{name_of(run)} {told(run)} (run {run.id}); {found.page.total_lines} lines."
    return Answer(text="\n".join(filter(None, (said, fenced(text, "log"), data["next"]))), data=data)


async def _run(call: Call, it: GetTaskLogs) -> Run:
    if it.run_id is not None and it.task_id is None:
        return await job(call, it.run_id)
    if it.task_id is None or it.run_id is not None:
        raise Refusal("get_task_logs: give task_id or run_id, one of them.")
    name = await task_name(call, it.task_id)
    last = await call.rota.store.last_runs(name, 1)
    if not last:
        raise Refusal(f"{name!r} has no run yet; run_task starts one.")
    return last[0]


def _next(run: Run, cursor: str | None, *, more: bool) -> str | None:
    if more:
        return f"Read on with cursor={cursor!r}."
    if run.status is not Status.ENDED:
        return (
            f"It goes on: what follows comes with cursor={cursor!r}, "
            f'its end with wait_for_run(run_ids=["{run.id}"]).'
        )
    return None


TOOL = Tool(
    name="get_task_logs",
    title="Read a log",
    description="Read the log of a task's latest run, or of any run by run_id: the end of it, the beginning, "
    "matching lines, or what is new since a cursor. To look through the logs of many runs use search_logs.",
    takes=GetTaskLogs,
    gives=TaskLog,
    act=get_task_logs,
)
