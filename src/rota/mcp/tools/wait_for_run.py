"""`wait_for_run`: hold on until runs end, write a text, or listen on a port."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.logs.pattern import Wanted
from rota.mcp.arguments import Arguments, Seconds
from rota.mcp.excerpt import OUTPUT, excerpt, fenced
from rota.mcp.facts import RunFacts, run_facts
from rota.mcp.job_facts import next_for_waiting, waits_for_input
from rota.mcp.names import run_id
from rota.mcp.refusal import Refusal
from rota.mcp.tool import Answer, Later, Tool
from rota.mcp.waiting import PATIENCE_BEFORE_TASK, progress
from rota.mcp.words import name_of, told
from rota.model.run import Status
from rota.operations.input_state import input_state
from rota.operations.wait_for_run import Awaited, Waited, WaitWanted
from rota.operations.wait_for_run import wait_for_run as wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rota.mcp.call import Call

#: Characters of each run's last output, by how many are waited for.
_BUDGET = 4000


class WaitForRun(Arguments):
    """For which runs, for what, and how long."""

    run_ids: Annotated[list[str], Field(min_length=1, max_length=50, description="Ids of runs or jobs.")]
    mode: Annotated[Literal["all", "any"], Field(description="It is to hold for all of them, or one.")] = (
        "all"
    )
    text: Annotated[
        str | None, Field(description='Wait for a line with this, such as "ready", rather than the end.')
    ] = None
    regex: Annotated[bool, Field(description="text is a regular expression (RE2).")] = False
    cursor: Annotated[
        str | None, Field(description="Look for text after this cursor only; with one run.")
    ] = None
    port: Annotated[
        int | None,
        Field(ge=1, le=65535, description="Wait until the run listens on this TCP port, such as 5173."),
    ] = None
    wait_seconds: Annotated[Seconds, Field(description="At most so long.")] = 20


class AwaitedFacts(RunFacts, total=False):
    """A run, and whether it came true for it; `log` is its last output, and no instruction."""

    met: Required[bool]
    line: str
    waiting_for_input: bool
    log: str
    log_cursor: str


class WaitResult(TypedDict, total=False):
    """How things stand when the wait is over."""

    met: Required[bool]
    timed_out: Required[bool]
    runs: Required[list[AwaitedFacts]]
    next: str


async def wait_for_run(call: Call, it: WaitForRun) -> Answer | Later:
    """The runs as they stand when it has come true, cannot any more, or time is up."""
    wanted = await wanted_of(call, it)
    patience = min(it.wait_seconds, PATIENCE_BEFORE_TASK) if call.takes_tasks else it.wait_seconds
    waited = await waiting(call, wanted, patience)
    if call.takes_tasks and not waited.over and it.wait_seconds > patience:
        return Later(of=await call.waits.begin(wanted))
    return await answer_of(call, waited)


async def wanted_of(call: Call, it: WaitForRun) -> WaitWanted:
    """What the operation is asked. Raises Refusal."""
    if it.text is not None and it.port is not None:
        raise Refusal("wait_for_run: give text or port, not both; without either it waits for the end.")
    if it.cursor is not None and (it.text is None or len(it.run_ids) != 1):
        raise Refusal("wait_for_run: cursor goes with text, and with one run.")
    return WaitWanted(
        run_ids=tuple(dict.fromkeys([await run_id(call, each) for each in it.run_ids])),
        all=it.mode == "all",
        text=None if it.text is None else Wanted(text=it.text, regex=it.regex),
        since=it.cursor,
        port=it.port,
    )


async def waiting(call: Call, wanted: WaitWanted, seconds: float | None) -> Waited:
    """What came of it; the client is told what the first of the runs writes."""
    async with progress(call, wanted.run_ids[0]):
        return await wait(call.rota, wanted, seconds)


async def answer_of(call: Call, waited: Waited) -> Answer:
    """How the runs stand, each with its last output."""
    budget = max(400, _BUDGET // len(waited.items))
    shown = await asyncio.gather(*(_shown(call, each, budget) for each in waited.items))
    follows = _next(waited, shown)
    data = {"met": waited.met, "timed_out": not waited.over, "runs": shown, "next": follows}
    lines = []
    for item, facts in zip(waited.items, shown, strict=True):
        lines.append(
            f"{'met' if item.met else 'not met'}: {name_of(item.run)} {told(item.run)} (run {item.run.id})."
        )
        if facts["line"] and facts["line"] not in facts["log"]:  # much was written since
            lines.append(fenced(facts["line"], "the line"))
        if facts["log"]:
            lines.append(fenced(facts["log"], "last output"))
    return Answer(text="\n".join((*lines, follows)), data=data)


async def _shown(call: Call, item: Awaited, budget: int) -> dict[str, Any]:
    last = await excerpt(call, item.run.id, tail=True, lines=50, budget=budget, streams=OUTPUT)
    state = await input_state(call.rota, item.run)
    return {
        **run_facts(call, item.run),
        "met": item.met,
        "line": item.line,
        "waiting_for_input": waits_for_input(state) or None,
        "log": last.text(),
        "log_cursor": last.page.next_cursor,
    }


def _next(waited: Waited, shown: Sequence[Mapping[str, Any]]) -> str:
    for item, facts in zip(waited.items, shown, strict=True):
        if facts["waiting_for_input"]:
            return next_for_waiting(item.run)
    open_ = [each.run.id for each in waited.items if each.run.status is not Status.ENDED]
    if not waited.over:
        return f"Time is up and it goes on: call wait_for_run again, with run_ids={json.dumps(open_)}."
    if not waited.met:
        return "It cannot come true any more: get_run(run_id) shows how a run ended, diagnose_run why."
    return "get_task_logs(run_id) reads a whole log."


TOOL = Tool(
    name="wait_for_run",
    title="Wait for runs",
    description="Wait until runs or jobs end, or write a text, or listen on a TCP port; all of them or any. "
    "Answers at once when it is so, and after wait_seconds with how things stand: call it again then, "
    "instead of polling. The runs are never stopped by it.",
    takes=WaitForRun,
    gives=WaitResult,
    act=wait_for_run,
)
