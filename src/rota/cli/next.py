"""`rota next`: what starts next by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TITLES = ("TASK", "DUE", "TICK", "RUN")

#: The most that the server gives.
MOST = 1000


def next_ticks(
    *,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 10,
    json: Json = False,
    options: Given,
) -> None:
    """List what starts next by itself: ticks of all tasks, and runs that wait for a time.

    Parameters
    ----------
    limit
        At most so many.
    """
    if not 1 <= limit <= MOST:
        raise Misuse(f"--limit takes a number from 1 to {MOST}")
    out = Output()
    items = options.client().next_ticks(limit)
    if json:
        out.json(items)
        return
    print_ticks(out, items, empty="Nothing starts by itself.")


def print_ticks(out: Output, items: Iterable[Mapping[str, Any]], *, empty: str) -> None:
    """Ticks to come, as a table."""
    rows = [
        (
            tick["task_name"],
            out.full_moment(tick["due_at"]),
            NOTHING if tick["scheduled_at"] == tick["due_at"] else out.moment(tick["scheduled_at"]),
            NOTHING if tick["run_id"] is None else out.run_id(tick["run_id"]),
        )
        for tick in items
    ]
    out.table(TITLES, rows, empty=empty)
