"""`interact_with_job`: send input to a job, and read what it answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rota.logs.follower import Following
from rota.logs.news import Over
from rota.mcp.arguments import Arguments, Budget, JobId
from rota.mcp.excerpt import BUDGET, excerpt
from rota.mcp.names import job
from rota.mcp.output import JobOutput, output
from rota.mcp.refusal import Refusal
from rota.mcp.tool import Answer, Tool
from rota.model.input import MOST_UNREAD
from rota.model.tier import Tier
from rota.operations.follow_log import follow_log
from rota.operations.input_state import input_state
from rota.operations.send_input import Given, send_input

if TYPE_CHECKING:
    from rota.logs.follower import Follower
    from rota.mcp.call import Call
    from rota.model.run import Run

#: Seconds of silence after which an answer is taken for complete.
_QUIET = 0.15


class InteractWithJob(Arguments):
    """What to send, and how long to wait for an answer."""

    job_id: JobId
    input: Annotated[str | None, Field(description="Text for its standard input.")] = None
    newline: Annotated[bool, Field(description="Add a newline where the text has none at its end.")] = True
    key: Annotated[str | None, Field(description="Rather than text: ctrl-c, enter, up, tab, …")] = None
    close: Annotated[bool, Field(description="Then end its input, for programs that read to the end.")] = (
        False
    )
    secret: Annotated[bool, Field(description="Keep it out of the log.")] = False
    wait_seconds: Annotated[float, Field(ge=0, le=50, description="At most so long for new output.")] = 2
    max_chars: Budget = BUDGET


async def interact_with_job(call: Call, it: InteractWithJob) -> Answer:
    """Only what is new since then."""
    run = await job(call, it.job_id)
    sent = _meant(it)
    before = await excerpt(call, run.id, tail=True, lines=1, budget=200)
    follower = await follow_log(
        call.rota, run.id, Following(start=before.page.total_lines + 1, progress=True)
    )
    try:
        for given in sent:
            await send_input(call.rota, run.id, given, caller=call.caller, by=call.by)
        await _answered(call, follower, run, it.wait_seconds)
    finally:
        follower.close()
    found = await excerpt(call, run.id, tail=False, budget=it.max_chars, since=before.page.next_cursor)
    run = await job(call, run.id)
    return output(call, run, found, await input_state(call.rota, run))


def _meant(it: InteractWithJob) -> list[Given]:
    if (it.input is not None) + (it.key is not None) + it.close == 0:
        raise Refusal("interact_with_job: give input, key or close; there is nothing to send.")
    if it.input is not None and it.key is not None:
        raise Refusal("interact_with_job: give input or key, not both; they can be sent one after the other.")
    sent = []
    if it.input is not None:
        text = it.input if it.input.endswith("\n") or not it.newline else f"{it.input}\n"
        if text:
            sent.append(Given(data=_bytes(text), secret=it.secret))
    if it.key is not None:
        sent.append(Given(key=it.key, secret=it.secret))
    if it.close:
        sent.append(Given(close=True))
    return sent


def _bytes(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise Refusal("input: it has half of a character, which cannot be sent.") from error
    if len(data) > MOST_UNREAD:
        said = f"it has {len(data)} bytes, and at most {MOST_UNREAD} can wait; send it in parts."
        raise Refusal(f"input: {said}")
    return data


async def _answered(call: Call, follower: Follower[Run], run: Run, seconds: float) -> None:
    """Return once it has written something and fallen silent, waits for input again, or time is up."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    patience = seconds
    while patience > 0:
        try:
            async with asyncio.timeout(min(patience, _QUIET)):
                if isinstance(await follower.next(), Over):
                    return
        except TimeoutError:
            state = await input_state(call.rota, run)
            if state is None or (state.waiting and not state.unread):
                return
        patience = deadline - loop.time()


TOOL = Tool(
    name="interact_with_job",
    title="Send input to a job",
    description="Send text or a key to a running job's standard input or terminal, or end its input, and "
    "answer with what it writes then. For output alone use get_job_output.",
    tier=Tier.ADMIN,
    takes=InteractWithJob,
    gives=JobOutput,
    act=interact_with_job,
    destroys=True,
    reaches_out=True,
)
