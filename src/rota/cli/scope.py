"""What is paused or resumed: one task, a group or everything, as a command line says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.suggest import suggest_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.cli.output import Output

TaskOrNothing = Annotated[str | None, Parameter(completer=suggest_tasks)]
Everything = Annotated[bool, Parameter(name="--all", negative=(), show_default=False)]


def scope(task: str | None, group: str | None, *, everything: bool) -> tuple[str, str | None]:
    """Its kind and name."""
    if (task is not None) + (group is not None) + everything != 1:
        raise Misuse("name a task, or say --group GROUP or --all")
    if everything:
        return "all", None
    return ("task", task) if task is not None else ("group", group)


def label(it: Mapping[str, Any]) -> str:
    """`task backup`, `group backups`, `everything`."""
    return "everything" if it["name"] is None else f"{it['kind']} {it['name']}"


def told(pause: Mapping[str, Any], out: Output) -> str:
    """`task backup by user olaf since … (deploying)`."""
    actor = pause["actor"]
    by = pause["via"] if actor is None else f"{actor['kind']} {actor['name']}"
    reason = "" if pause["reason"] is None else f" ({pause['reason']})"
    return f"{label(pause)} by {by} since {out.full_moment(pause['since'])}{reason}"


def lines(state: Mapping[str, Any], out: Output) -> Iterator[str]:
    """What holds it, a line each; or that it goes on."""
    if not state["pauses"]:
        yield f"{label(state)}: not paused"
    for pause in state["pauses"]:
        yield f"paused: {told(pause, out)}"
