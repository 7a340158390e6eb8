"""`get_run`: everything about one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.mcp.arguments import Arguments, Budget, JobId
from rota.mcp.names import job
from rota.mcp.outcome import RunOutcome, outcome
from rota.mcp.tool import Answer, Tool

if TYPE_CHECKING:
    from rota.mcp.call import Call


class GetRun(Arguments):
    """Which run."""

    run_id: JobId
    max_chars: Budget = 2000


async def get_run(call: Call, it: GetRun) -> Answer:
    """The run with the last of what it wrote."""
    return await outcome(call, await job(call, it.run_id), budget=it.max_chars)


TOOL = Tool(
    name="get_run",
    title="Look at a run",
    description="Show one run of a task or job: status, exit code, why it ended, times, who started it, "
    "and its last output. To find runs use list_runs.",
    takes=GetRun,
    gives=RunOutcome,
    act=get_run,
)
