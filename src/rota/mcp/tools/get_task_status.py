"""`get_task_status`: how a task stands, its schedule, and how its last runs went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required

from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, TaskId
from rota.mcp.facts import RunFacts, run_facts
from rota.mcp.names import configured_task
from rota.mcp.tool import Answer, Tool
from rota.mcp.tools.list_tasks import task_facts
from rota.mcp.words import distance, moment, task_word_of, told, utc_now
from rota.model.run import Status
from rota.operations.get_task import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.mcp.call import Call
    from rota.model.run import Run

#: What a list says of it too.
_SHARED = ("id", "name", "status", "description", "command", "schedule", "timezone", "params_schema")

#: How many of its last runs are shown.
LAST = 5


class GetTaskStatus(Arguments):
    """Which task."""

    task_id: TaskId


class TaskStatus(TypedDict, total=False):
    """How a task stands."""

    id: Required[int]
    name: Required[str]
    status: Required[str]
    description: str
    command: Required[str]
    schedule: list[str]
    timezone: str
    paused: list[str]
    next_runs: Required[list[str]]
    last_runs: Required[list[RunFacts]]
    timeout: float
    on_overlap: str
    params_schema: dict[str, Any]
    next: str


async def get_task_status(call: Call, it: GetTaskStatus) -> Answer:
    """Its definition in short, and how it stands."""
    name = await configured_task(call, it.task_id)
    now = await get_task(call.rota, name)
    number = (await call.rota.store.task_ids())[name]
    zone = now.task.timezone or call.rota.config.server.timezone
    due = [f"{moment(each.due_at, zone)} ({distance(each.due_at, utc_now())})" for each in now.next_ticks]
    last = now.last_runs[:LAST]
    facts = task_facts(call, now, number)
    data = {
        **{
            key: facts[key]
            for key in (
                "id",
                "name",
                "status",
                "description",
                "command",
                "schedule",
                "timezone",
                "paused",
                "params_schema",
            )
        },
        "next_runs": due,
        "last_runs": [run_facts(call, run) for run in last],
        "timeout": None if now.task.timeout is None else now.task.timeout.total_seconds(),
        "on_overlap": now.task.on_overlap,
        "next": _next(name, last),
    }
    lines = [f"task {name} (number {number}) is {task_word_of(now)}."]
    lines += [f"{pause.told}: what comes before it is resumed is missed." for pause in now.pauses]
    lines += [f"Next: {', '.join(due[:3])}." if due else "It runs only when asked."]
    lines += [f"A run of it {told(run)} (run {run.id})." for run in last] or ["It never ran."]
    return Answer(text="\n".join((*lines, data["next"])), data=data)


def _next(name: str, last: Sequence[Run]) -> str:
    if last and last[0].status is not Status.ENDED:
        return f'wait_for_run(run_ids=["{last[0].id}"]) waits for its end.'
    return f'run_task(task_id="{name}") starts it; get_task_logs(task_id="{name}") reads its latest log.'


TOOL = Tool(
    name="get_task_status",
    title="Look at a task",
    description="Say whether a task is idle, running, queued, paused or disabled, when it runs next, "
    "and how its last runs went. For one run use get_run.",
    takes=GetTaskStatus,
    gives=TaskStatus,
    act=get_task_status,
)
