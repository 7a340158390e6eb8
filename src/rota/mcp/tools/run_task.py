"""`run_task`: start a task, wait for its end, and tell how it went with the end of its log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rota.mcp.arguments import Arguments, Key, Params, Seconds, TaskId
from rota.mcp.names import configured_task
from rota.mcp.outcome import RunOutcome, outcome
from rota.mcp.starting import start_task
from rota.mcp.tool import Answer, Later, Tool
from rota.mcp.waiting import PATIENCE_BEFORE_TASK, wait_with_progress
from rota.model.run import Status
from rota.model.tier import Tier

if TYPE_CHECKING:
    from rota.mcp.call import Call


class RunTask(Arguments):
    """Which task, with what, and how long to wait."""

    task_id: TaskId
    params: Params
    wait_seconds: Annotated[Seconds, Field(description="Answers sooner if the run ends.")] = 30
    idempotency_key: Key = None


async def run_task(call: Call, it: RunTask) -> Answer | Later:
    """Answer the moment it ends."""
    name = await configured_task(call, it.task_id)
    begun = time.monotonic()
    run = await start_task(call, name, it.params, it.idempotency_key)
    if run.status is not Status.ENDED and it.wait_seconds:
        patience = min(it.wait_seconds, PATIENCE_BEFORE_TASK) if call.takes_tasks else it.wait_seconds
        run = await wait_with_progress(call, run, max(0.0, patience - (time.monotonic() - begun)))
        if call.takes_tasks and run.status is not Status.ENDED:
            return Later(of=run)
    return await outcome(call, run)


TOOL = Tool(
    name="run_task",
    title="Run a task and wait",
    description="Start a task, wait for its end (30 s unless told otherwise), and answer with how it went "
    "and the end of its log. A run that is not over by then goes on: follow it with wait_for_run. "
    "To start without waiting use run_task_async.",
    tier=Tier.OPERATE,
    takes=RunTask,
    gives=RunOutcome,
    act=run_task,
    reaches_out=True,
)
