"""`get_job_output`: what a job wrote, from its beginning or a cursor on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.mcp.arguments import Arguments, Budget, JobId, Since
from rota.mcp.excerpt import BUDGET, excerpt
from rota.mcp.names import job
from rota.mcp.output import JobOutput, output
from rota.mcp.tool import Answer, Tool
from rota.operations.input_state import input_state

if TYPE_CHECKING:
    from rota.mcp.call import Call


class GetJobOutput(Arguments):
    """Which job, and from where on."""

    job_id: JobId
    cursor: Since = None
    max_chars: Budget = BUDGET


async def get_job_output(call: Call, it: GetJobOutput) -> Answer:
    """As much as the budget has room for."""
    run = await job(call, it.job_id)
    found = await excerpt(call, run.id, tail=False, budget=it.max_chars, since=it.cursor)
    return output(call, run, found, await input_state(call.rota, run))


TOOL = Tool(
    name="get_job_output",
    title="Read a job's output",
    description="Read what a job wrote, from its beginning or from a cursor on. For its last lines use "
    "tail_job_output.",
    takes=GetJobOutput,
    gives=JobOutput,
    act=get_job_output,
)
