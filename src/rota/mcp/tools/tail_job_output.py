"""`tail_job_output`: the last lines that a job wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rota.logs.index import STDERR, STDOUT, SYSTEM
from rota.mcp.arguments import Arguments, Budget, JobId
from rota.mcp.excerpt import BUDGET, excerpt
from rota.mcp.names import job
from rota.mcp.output import JobOutput, output
from rota.mcp.tool import Answer, Tool
from rota.operations.input_state import input_state

if TYPE_CHECKING:
    from rota.mcp.call import Call


class TailJobOutput(Arguments):
    """Which job, and how many lines."""

    job_id: JobId
    lines: Annotated[int, Field(ge=1, le=1000, description="Of each stream.")] = 50
    max_chars: Budget = BUDGET


async def tail_job_output(call: Call, it: TailJobOutput) -> Answer:
    """The newest of each stream: of two pipes nobody can tell exactly what was written when."""
    run = await job(call, it.job_id)
    each = [
        await excerpt(call, run.id, tail=True, lines=it.lines, budget=it.max_chars // 2, streams=streams)
        for streams in ({STDOUT}, {STDERR, SYSTEM})
    ]
    found = replace(each[0], lines=[line for one in each for line in one.lines])
    return output(call, run, found, await input_state(call.rota, run))


TOOL = Tool(
    name="tail_job_output",
    title="Read a job's last lines",
    description="Read the last lines of a job's output. For all of it use get_job_output.",
    takes=TailJobOutput,
    gives=JobOutput,
    act=tail_job_output,
)
