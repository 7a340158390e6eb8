"""`rota resume`: what a pause held goes on."""

from __future__ import annotations

from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.scope import Everything, TaskOrNothing, lines, scope


def resume(
    task: TaskOrNothing = None,
    /,
    *,
    group: str | None = None,
    all_: Everything = False,
    json: Json = False,
    options: Given,
) -> None:
    """Resume a task, a group or everything. What another pause holds too is still held, and that is said.

    Parameters
    ----------
    task
        The task's name.
    group
        The pause of this group; tasks that are paused themselves stay so.
    all_
        The pause of everything; tasks and groups that are paused themselves stay so.
    """
    out = Output()
    kind, name = scope(task, group, everything=all_)
    state = options.client().resume(kind, name)
    if json:
        out.json(state)
        return
    for line in lines(state, out):
        print(line)
