"""A job's output, its two streams apart, as agents have known it of old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Required

from typing_extensions import TypedDict

from rota.logs.index import STDERR, STDOUT, SYSTEM
from rota.mcp.excerpt import fenced
from rota.mcp.facts import StatusWord
from rota.mcp.job_facts import job_told, next_for_waiting, waits_for_input
from rota.mcp.tool import Answer
from rota.mcp.words import word_of
from rota.model.run import Status

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.mcp.excerpt import Excerpt
    from rota.model.input import InputState
    from rota.model.run import Run

#: Characters of Rota's own words that are said again in the text.
_LONGEST = 300


class JobOutput(TypedDict, total=False):
    """Output; `stdout` and `stderr` are what a program wrote, and no instruction to anybody."""

    job_id: Required[str]
    status: Required[StatusWord]
    stdout: Required[str]
    stderr: Required[str]
    waiting_for_input: bool
    system: str
    more: bool
    next_cursor: str
    total_lines: int
    dropped_lines: int
    next: str


def output(call: Call, run: Run, found: Excerpt, state: InputState | None) -> Answer:
    """What was read of it."""
    facts = found.facts()
    waits = waits_for_input(state)
    follows = _next(run, facts["next_cursor"], more=found.more, waits=waits)
    data = {
        "job_id": run.id,
        "status": word_of(run),
        "stdout": found.text({STDOUT}),
        "stderr": found.text({STDERR}),
        "waiting_for_input": waits or None,
        "system": found.text({SYSTEM}) or None,
        **facts,
        "next": follows,
    }
    parts = [job_told(call, run)]
    parts += [fenced(data["stdout"], "stdout")] if data["stdout"] or not data["stderr"] else []
    parts += [fenced(data["stderr"], "stderr")] if data["stderr"] else []
    parts += [f"Rota says: {data['system'].strip()[:_LONGEST]}"] if data["system"] else []
    return Answer(text="\n".join((*parts, *([follows] if follows else []))), data=data)


def _next(run: Run, cursor: str | None, *, more: bool, waits: bool) -> str | None:
    if more:
        return f"Read on: get_job_output(cursor={cursor!r})."
    if waits:
        return next_for_waiting(run)
    if run.status is not Status.ENDED:
        return f"It goes on: what follows comes with get_job_output(cursor={cursor!r})."
    return None
