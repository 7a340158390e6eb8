"""`run_task_async`: start a task, and answer at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.mcp.arguments import Arguments, Key, Params, TaskId
from rota.mcp.facts import RunFacts, run_facts
from rota.mcp.names import configured_task
from rota.mcp.outcome import despite, next_of
from rota.mcp.starting import PATIENCE, start_task
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import told
from rota.model.tier import Tier
from rota.operations.wait_for_start import wait_for_start

if TYPE_CHECKING:
    from rota.mcp.call import Call


class RunTaskAsync(Arguments):
    """Which task, with what."""

    task_id: TaskId
    params: Params
    idempotency_key: Key = None


async def run_task_async(call: Call, it: RunTaskAsync) -> Answer:
    """The run as it was written down."""
    name = await configured_task(call, it.task_id)
    run = await start_task(call, name, it.params, it.idempotency_key)
    run = await wait_for_start(call.rota, run, PATIENCE)
    data = {**run_facts(call, run), "next": next_of(run)}
    said = f"task {name} was started and {told(run)} (run {run.id}).{despite(run)}"
    return Answer(text=f"{said} {data['next']}", data=data)


TOOL = Tool(
    name="run_task_async",
    title="Start a task",
    description="Start a task and answer at once with its run's id. To get the result in the same call use "
    "run_task.",
    tier=Tier.OPERATE,
    takes=RunTaskAsync,
    gives=RunFacts,
    act=run_task_async,
    reaches_out=True,
)
