"""`rota why`: what became of a task's last ticks, and which come next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse, say
from rota.cli.next import print_ticks
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.suggest import suggest_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = ("TICK", "UNTIL", "TICKS", "WHAT", "RUN", "BEHIND")

#: The most that the server looks back on.
MOST = 1000


def why(
    task: Annotated[str, Parameter(completer=suggest_tasks)],
    /,
    *,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 100,
    json: Json = False,
    options: Given,
) -> None:
    """Say what became of a task's last ticks, and which come next.

    Parameters
    ----------
    task
        The task's name.
    limit
        On so many ticks it looks back, at most. Those in a row of which the same became are one line.
    """
    if not 1 <= limit <= MOST:
        raise Misuse(f"--limit takes a number from 1 to {MOST}")
    out = Output()
    found = options.client().why(task, limit)
    if json:
        out.json(found)
        return
    out.table(TITLES, [_row(each, out) for each in found["last"]], empty="No tick of it has come yet.")
    print()
    print_ticks(out, found["next"], empty="Nothing comes next.")
    if found["note"] is not None:
        say(found["note"])


def _row(fate: Mapping[str, Any], out: Output) -> tuple[str, ...]:
    return (
        out.full_moment(fate["first"]),
        out.moment(fate["last"]) if fate["count"] > 1 else NOTHING,
        str(fate["count"]),
        fate["message"],
        NOTHING if fate["run_id"] is None else out.run_id(fate["run_id"]),
        " ".join(out.run_id(run_id) for run_id in fate["behind"]) or NOTHING,
    )
