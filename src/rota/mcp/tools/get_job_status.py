"""`get_job_status`: whether a job runs, completed, failed or was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.mcp.arguments import Arguments, JobId
from rota.mcp.job_facts import JobFacts, job_facts, job_told, next_for_job, waits_for_input
from rota.mcp.names import job
from rota.mcp.tool import Answer, Tool
from rota.operations.input_state import input_state

if TYPE_CHECKING:
    from rota.mcp.call import Call


class GetJobStatus(Arguments):
    """Which job."""

    job_id: JobId


async def get_job_status(call: Call, it: GetJobStatus) -> Answer:
    """The run behind it, in one word and with what else is known."""
    run = await job(call, it.job_id)
    state = await input_state(call.rota, run)
    data = {
        **job_facts(call, run),
        "waiting_for_input": waits_for_input(state) or None,
        "next": next_for_job(run, state),
    }
    return Answer(text=f"{job_told(call, run)} {data['next']}", data=data)


TOOL = Tool(
    name="get_job_status",
    title="Look at a job",
    description="Say whether a job is pending, running, completed, failed or killed, with exit code and "
    "times. To wait for its end use wait_for_run.",
    takes=GetJobStatus,
    gives=JobFacts,
    act=get_job_status,
)
