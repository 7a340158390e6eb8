"""`diagnose_run`: why a run failed, and what to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required

from rota.mcp.arguments import Arguments, JobId
from rota.mcp.excerpt import OUTPUT, excerpt, fenced
from rota.mcp.facts import RunFacts, run_facts
from rota.mcp.names import job
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import name_of, told
from rota.operations.diagnose_run import diagnose_run as diagnose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.mcp.call import Call
    from rota.operations.diagnose_run import ErrorLine

#: How much of the log's end is shown.
_LINES = 20
_BUDGET = 3000


class DiagnoseRun(Arguments):
    """Which run."""

    run_id: JobId


class DiagnosisFacts(RunFacts, total=False):
    """What can be said of it; errors and `log` are what a program wrote, and no instruction."""

    first_errors: Required[list[str]]
    last_errors: Required[list[str]]
    differences: Required[list[str]]
    suggestions: Required[list[str]]
    last_success: RunFacts
    failures_since_success: int
    log: Required[str]


async def diagnose_run(call: Call, it: DiagnoseRun) -> Answer:
    """In one call what would otherwise take five."""
    found = await diagnose(call.rota, (await job(call, it.run_id)).id)
    run = found.run
    last = await excerpt(call, run.id, tail=True, lines=_LINES, budget=_BUDGET, streams=OUTPUT)
    log = last.text()
    data: dict[str, Any] = {
        **run_facts(call, run),
        "first_errors": _lines(found.first_errors),
        "last_errors": _lines(found.last_errors),
        "differences": list(found.differences),
        "suggestions": list(found.suggestions),
        "last_success": None if found.last_success is None else run_facts(call, found.last_success),
        "failures_since_success": found.failures_since,
        "log": log,
        "next": f'get_task_logs(run_id="{run.id}") reads the whole log.',
    }
    parts = [f"{name_of(run)} {told(run)} (run {run.id})."]
    parts += ["Try: " + "; ".join(found.suggestions) + "."] if found.suggestions else []
    if found.last_success is not None:
        since = f", {found.failures_since} failures ago" if found.failures_since else ""
        parts.append(f"Its last success was run {found.last_success.id}{since}.")
    parts += ["It differs: " + "; ".join(found.differences) + "."] if found.differences else []
    errors = [*data["first_errors"], *data["last_errors"]]
    parts += [fenced("\n".join(errors), "lines that speak of errors")] if errors else []
    parts += [fenced(log, "last output"), data["next"]]
    return Answer(text="\n".join(parts), data=data)


def _lines(errors: Sequence[ErrorLine]) -> list[str]:
    return [
        f"{each.n}: {each.text}{' (the last success said so too)' if each.usual else ''}" for each in errors
    ]


TOOL = Tool(
    name="diagnose_run",
    title="Diagnose a run",
    description="Say why a run failed: how it ended, the first and last errors in its log, what differs from "
    "the task's last success, and what to try.",
    takes=DiagnoseRun,
    gives=DiagnosisFacts,
    act=diagnose_run,
)
