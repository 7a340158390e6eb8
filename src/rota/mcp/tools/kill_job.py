"""`kill_job`: end a job, politely and then firmly, and answer when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Required

from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, JobId
from rota.mcp.names import job
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import name_of, told
from rota.model.error import RunEnded
from rota.model.run import EndReason, Status
from rota.model.tier import Tier
from rota.operations.stop import stop
from rota.operations.wait import wait

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run

#: Seconds beyond a run's grace in which its end is known.
_ALLOWANCE = 5.0
#: The most that a call takes.
_LONGEST = 50.0


class KillJob(Arguments):
    """Which job."""

    job_id: JobId


class Killed(TypedDict, total=False):
    """What came of it."""

    job_id: Required[str]
    status: Required[Literal["killed", "already_terminated", "stopping"]]
    end_reason: str
    exit_code: int
    signal: str
    next: str


async def kill_job(call: Call, it: KillJob) -> Answer:
    """Wait for its end within its grace."""
    run = await job(call, it.job_id)
    if run.status is Status.ENDED:
        return _answer(run, "already_terminated")
    try:
        run = await stop(call.rota, run.id, by=call.by)
    except RunEnded:
        return _answer(await job(call, it.job_id), "already_terminated")
    run = await wait(call.rota, run.id, _patience(call, run))
    if run.status is not Status.ENDED:
        return _answer(run, "stopping")
    # What ended by itself before the signal came was not killed.
    return _answer(run, "killed" if run.end_reason is EndReason.STOPPED else "already_terminated")


def _patience(call: Call, run: Run) -> float:
    task = call.rota.engine.tasks.get(run.task_name or "")
    grace = 5.0 if task is None else task.grace.total_seconds()
    return min(grace + _ALLOWANCE, _LONGEST)


def _answer(run: Run, status: str) -> Answer:
    follows = (
        f'It is being stopped; wait_for_run(run_ids=["{run.id}"]) waits for its end.'
        if status == "stopping"
        else f'get_job_output(job_id="{run.id}") still reads its output.'
    )
    data = {
        "job_id": run.id,
        "status": status,
        "end_reason": run.end_reason,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "next": follows,
    }
    return Answer(text=f"{status}: {name_of(run)} {told(run)}. {follows}", data=data)


TOOL = Tool(
    name="kill_job",
    title="Stop a job or run",
    description="Stop a job, or a run of a task: its stop signal first, SIGKILL after its grace, its child "
    "processes included. A pending one is cancelled. Answers when it is over.",
    tier=Tier.OPERATE,
    takes=KillJob,
    gives=Killed,
    act=kill_job,
    destroys=True,
    repeats=True,
)
