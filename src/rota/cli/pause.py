"""`rota pause`: nothing of a task, a group or everything starts by itself any more."""

from __future__ import annotations

from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.scope import Everything, TaskOrNothing, lines, scope


def pause(
    task: TaskOrNothing = None,
    /,
    *,
    group: str | None = None,
    all_: Everything = False,
    reason: str | None = None,
    json: Json = False,
    options: Given,
) -> None:
    """Pause a task, a group or everything: what starts by itself is held, until `rota resume`.

    Ticks are missed and not caught up; what waits stays pending. `rota run` still runs a task, and says that
    it is paused. Services go on. A pause lasts over restarts; a new reason replaces the one before.

    Parameters
    ----------
    task
        The task's name.
    group
        Every task of this group.
    all_
        Every task, and the jobs that wait.
    reason
        Why, for those who meet the pause.
    """
    out = Output()
    kind, name = scope(task, group, everything=all_)
    state = options.client().pause(kind, name, reason)
    if json:
        out.json(state)
        return
    for line in lines(state, out):
        print(line)
