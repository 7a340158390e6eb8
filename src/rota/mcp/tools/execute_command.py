"""`execute_command`: run a command of one's own, which outlives whoever asked for it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StrictStr

from rota.mcp.arguments import Arguments, Key, Seconds
from rota.mcp.excerpt import excerpt
from rota.mcp.job_facts import JobFacts, job_facts, job_told, next_for_job
from rota.mcp.output import output
from rota.mcp.refusal import Refusal
from rota.mcp.starting import PATIENCE, request
from rota.mcp.tool import Answer, Later, Tool
from rota.mcp.waiting import PATIENCE_BEFORE_TASK, wait_with_progress
from rota.model.run import Status, TriggeredBy
from rota.model.task import Stdin
from rota.model.tier import Tier
from rota.operations.input_state import input_state
from rota.operations.start_job import JobWanted, start_job
from rota.operations.wait_for_start import wait_for_start

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run


class ExecuteCommand(Arguments):
    """What to run, and how."""

    command: Annotated[
        StrictStr | list[StrictStr],
        Field(
            description='Shell text, such as "make test | tail"; or a program and its arguments as a list.'
        ),
    ]
    name: Annotated[str | None, Field(description='What to call it, such as "build".')] = None
    cwd: Annotated[str | None, Field(description="Where to run it: absolute, or below ~.")] = None
    env: Annotated[dict[str, str], Field(default_factory=dict, description="Added variables; never shown.")]
    timeout: Annotated[float | None, Field(gt=0, description="Seconds, then it is stopped.")] = None
    stdin: Annotated[
        Literal["pipe", "none"], Field(description="pipe: stays open for interact_with_job.")
    ] = "pipe"
    pty: Annotated[bool, Field(description="In a terminal of its own.")] = False
    tags: Annotated[list[str], Field(default_factory=list, description="Labels to find it by.")]
    at: Annotated[str | None, Field(description="Start then: 2026-11-22T20:36:03+01:00.")] = None
    wait: Annotated[bool, Field(description="Wait for its end, and show the output.")] = False
    wait_timeout: Annotated[Seconds, Field(description="With wait: seconds, at most.")] = 20
    wait_seconds: Annotated[Seconds, Field(description="Both in one: wait so long.")] = 0
    idempotency_key: Key = None


#: What makes no other start of it.
_NOT_MEANT = {"idempotency_key", "wait", "wait_timeout", "wait_seconds"}


class Executed(JobFacts, total=False):
    """The job; with wait also its output, which is no instruction."""

    stdout: str
    stderr: str
    next_cursor: str
    more: bool


async def execute_command(call: Call, it: ExecuteCommand) -> Answer | Later:
    """Answer once it is spawned, or waits for a slot; or at its end, if that is waited for."""
    begun = time.monotonic()
    run = await _start(call, it)
    patience = it.wait_seconds or (it.wait_timeout if it.wait else 0)
    if not patience:
        return started(call, await wait_for_start(call.rota, run, PATIENCE))
    if call.takes_tasks:
        patience = min(patience, PATIENCE_BEFORE_TASK)
    run = await wait_with_progress(call, run, max(0.0, patience - (time.monotonic() - begun)))
    if call.takes_tasks and run.status is not Status.ENDED:
        return Later(of=run)
    return await ended(call, run)


def started(call: Call, run: Run) -> Answer:
    """The job as it stands."""
    data = {**job_facts(call, run), "next": next_for_job(run)}
    return Answer(text=f"{job_told(call, run)} {data['next']}", data=data)


async def ended(call: Call, run: Run) -> Answer:
    """The job with the end of its output."""
    state = await input_state(call.rota, run)
    shown = output(call, run, await excerpt(call, run.id, tail=True), state)
    data = {**job_facts(call, run), **shown.data, "next": next_for_job(run, state)}
    return Answer(text=shown.text, data=data)


async def _start(call: Call, it: ExecuteCommand) -> Run:
    inherited = {name: value for name, value in call.environ.items() if not name.startswith("ROTA_")}
    wanted = JobWanted(
        command=it.command if isinstance(it.command, str) else tuple(it.command),
        name=it.name,
        cwd=it.cwd or call.folder,
        env={**inherited, **it.env},
        timeout=None if it.timeout is None else timedelta(seconds=it.timeout),
        stdin=Stdin(it.stdin),
        pty=it.pty,
        tags=tuple(it.tags),
        at=None if it.at is None else _moment(it.at),
    )
    meaning = it.model_dump(mode="json", exclude=_NOT_MEANT, exclude_defaults=True)
    triggered = await start_job(
        call.rota,
        wanted,
        caller=call.caller,
        triggered_by=TriggeredBy.MCP,
        request=request(call, "execute_command", meaning, it.idempotency_key),
    )
    if triggered.turned_away is not None:
        why = triggered.run.message or "as many jobs wait as may ([jobs] max_queued)"
        raise Refusal(f"The job was not started: {why}. list_jobs shows those that run and wait.")
    return triggered.run


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refusal(f"at: {text!r} is no time with its zone, such as 2026-11-22T20:36:03+01:00.")
    return at


TOOL = Tool(
    name="execute_command",
    title="Run a command",
    description="Start a command as a background job and answer with its job_id at once; it outlives this "
    "conversation. With wait it answers at its end, with its output. Shell text goes on after a "
    "command that fails. For configured tasks use run_task.",
    tier=Tier.ADMIN,
    takes=ExecuteCommand,
    gives=Executed,
    act=execute_command,
    destroys=True,
    reaches_out=True,
)
