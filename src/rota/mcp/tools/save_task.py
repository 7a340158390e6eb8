"""`save_task`: write a task into the managed file of the configuration, and have it hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments
from rota.mcp.tool import Answer, Tool
from rota.model.task import NAME
from rota.model.tier import Tier
from rota.operations.save_task import save_task as save

if TYPE_CHECKING:
    from rota.config.config import Config
    from rota.mcp.call import Call
    from rota.operations.reload import Reloaded


class SaveTask(Arguments):
    """Which task, and what it is to say."""

    name: Annotated[str, Field(pattern=NAME.pattern, description='The task, such as "backup".')]
    task: Annotated[
        dict[str, Any],
        Field(
            description="Its keys as in rota.toml: run (shell text or a list), cron, timezone, timeout, env, "
            "working_dir, on_overlap, … What is left out stays as it is; null takes a key away."
        ),
    ]
    dry_run: Annotated[bool, Field(description="Change nothing; show the diff.")] = True


class TaskSaved(TypedDict, total=False):
    """What has changed, or would."""

    name: Required[str]
    file: Required[str]
    dry_run: Required[bool]
    diff: Required[str]
    changes: Required[list[str]]
    warnings: list[str]
    next: Required[str]


async def save_task(call: Call, it: SaveTask) -> Answer:
    """Nothing is written that the whole configuration is not sound with."""
    saved = await save(call.rota, it.name, it.task, caller=call.caller, by="mcp", dry_run=it.dry_run)
    changes = list(_changes(saved.reloaded))
    follows = _next(it.name, dry_run=it.dry_run, diff=saved.diff)
    data = {
        "name": it.name,
        "file": saved.file,
        "dry_run": it.dry_run,
        "diff": saved.diff,
        "changes": changes,
        "warnings": list(saved.reloaded.warnings) or None,
        "next": follows,
    }
    what = "Would change" if it.dry_run else "Changed"
    said = (
        [f"{what} {saved.file}:", saved.diff.rstrip()] if saved.diff else [f"{saved.file} says so already."]
    )
    said += [f"Then: {'; '.join(changes)}."] if changes else []
    said += [f"warning: {warning}" for warning in saved.reloaded.warnings]
    return Answer(text="\n".join((*said, follows)), data=data)


def _changes(reloaded: Reloaded) -> list[str]:
    """All that the configuration changes, be it by this task or by what else is in its files by now."""
    named = reloaded.difference
    said = [f"{each.kind} {each.name} added" for each in named.added]
    said += [f"{each.kind} {each.name} removed" for each in named.removed]
    said += [f"{each.kind} {each.name} changed ({', '.join(each.keys)})" for each in named.changed]
    said += [f"service {name} restarted" for name in reloaded.effects.restarted]
    said += [f"pending run {run.id} of {run.label} stopped" for run in reloaded.effects.stopped]
    return said + [f"{key} waits for the server's next start" for key in named.needs_server_restart]


def _next(name: str, *, dry_run: bool, diff: str) -> str:
    if dry_run and diff:
        return "Nothing is written yet: show this, and call save_task again with dry_run=false to do it."
    return f'get_task_status(task_id="{name}") says when it is due, run_task starts it.'


def _is_on(config: Config) -> bool:
    return config.server.managed_file is not None


TOOL = Tool(
    name="save_task",
    title="Save a task",
    description="Write a task into the configuration, new or changed, for what is to run again and again; "
    "by default only show what would change. A command for once is execute_command's.",
    tier=Tier.ADMIN,
    takes=SaveTask,
    gives=TaskSaved,
    act=save_task,
    destroys=True,
    repeats=True,
    reaches_out=True,
    is_on=_is_on,
)
