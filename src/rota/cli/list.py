"""`rota list`: every task, when it is due, and how it went last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = ("TASK", "NOW", "LAST", "ENDED", "NEXT", "SCHEDULE")


def list_tasks(*, json: Json = False, options: Given) -> None:
    """List the tasks: what runs now, how each went last, and when it is due."""
    out = Output()
    tasks = options.client().tasks()
    if json:
        out.json(tasks)
        return
    out.table(
        TITLES,
        [
            (
                task["name"],
                _now(task),
                _last(task, "end_reason") or NOTHING,
                out.moment(_last(task, "end_at")),
                out.moment(next((each["due_at"] for each in task["next_ticks"]), None)),
                _schedule(task),
            )
            for task in tasks
        ],
        empty="There are no tasks yet; write some into the configuration file.",
    )


def _now(task: Mapping[str, Any]) -> str:
    counts = ((task["running"], "running"), (task["pending"], "pending"))
    words = [word if count == 1 else f"{count} {word}" for count, word in counts if count]
    words += ["paused"] if task["pauses"] else []
    return ", ".join(words) or NOTHING


def _last(task: Mapping[str, Any], key: str) -> str | None:
    for run in task["last_runs"]:
        value: str | None = run[key]
        return value
    return None


def _schedule(task: Mapping[str, Any]) -> str:
    schedule = " | ".join(task["cron"])
    return f"off ({schedule})" if schedule and not task["enabled"] else schedule or NOTHING
