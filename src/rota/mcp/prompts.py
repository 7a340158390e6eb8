"""Prompts: what a person may ask an agent for in one gesture."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptResult,
    ListPromptsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.mcp.call import Call

_DIAGNOSE = """\
Find out why the run {run_id} failed.

1. Call diagnose_run(run_id="{run_id}").
2. Where that does not settle it, read the log around the first error with get_task_logs, and compare it \
with the log of the last success.
3. Say what went wrong, how sure you are, and the smallest change that mends it. Change nothing and start \
nothing before I agree."""

_CREATE = """\
Write a task for Rota that does this: {description}

1. See with list_tasks whether there is one already, and how the others are named.
2. Choose a schedule, and show with preview_schedule when it would be due; ask me if the time zone is \
not clear.
3. Answer with the [tasks.NAME] table for {file}: run, cron, timezone, and timeout, on_overlap and \
working_dir where they matter, each with a reason. Do not write to the file before I agree."""

PROMPTS = (
    Prompt(
        name="diagnose_run",
        title="Diagnose a run",
        description="Find out why a run failed.",
        arguments=[PromptArgument(name="run_id", description="The run's id.", required=True)],
    ),
    Prompt(
        name="create_task",
        title="Write a task",
        description="Turn a wish into a task for the configuration file.",
        arguments=[
            PromptArgument(name="description", description="What it should do, and when.", required=True)
        ],
    ),
)


def listed() -> ListPromptsResult:
    """All of them."""
    return ListPromptsResult(prompts=list(PROMPTS))


def get(call: Call, name: str, arguments: Mapping[str, str]) -> GetPromptResult:
    """One, filled in. Raises MCPError."""
    prompt = next((each for each in PROMPTS if each.name == name), None)
    if prompt is None:
        nearest = difflib.get_close_matches(name, [each.name for each in PROMPTS], n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise MCPError(code=INVALID_PARAMS, message=f"there is no prompt {name!r}{hint}")
    for argument in prompt.arguments or ():
        if not arguments.get(argument.name, "").strip():
            raise MCPError(code=INVALID_PARAMS, message=f"{name} needs {argument.name}")
    file = call.rota.config.path or "rota.toml"
    text = {"diagnose_run": _DIAGNOSE, "create_task": _CREATE}[name]
    filled = text.format(file=file, **{each.name: arguments[each.name] for each in prompt.arguments or ()})
    return GetPromptResult(
        description=prompt.description,
        messages=[PromptMessage(role="user", content=TextContent(type="text", text=filled))],
    )
