"""Waits for the ends of runs by the server's events, over its restarts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.cli.outlast import outlast
from rota.client.problem import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from rota.client.client import Client
    from rota.model.error import RotaError


def await_ends(
    client: Client, run_ids: Collection[str], *, on_gone: Callable[[RotaError], None]
) -> Iterator[dict[str, Any]]:
    """Each run once it has ended, in the order of their ends.

    That the server went away is told to `on_gone`, once. Raises NoServer or Disconnected when it is gone
    for longer than it may be.
    """
    waiting = set(run_ids)
    if not waiting:
        return
    for run in outlast(client, lambda: _ends(client, waiting), on_gone=on_gone):
        waiting.discard(run["id"])
        yield run
        if not waiting:
            return


def _ends(client: Client, waiting: set[str]) -> Iterator[dict[str, Any]]:
    filters = {"kind": "run.ended"} | ({"run_id": next(iter(waiting))} if len(waiting) == 1 else {})
    with client.events(filters) as events:
        # The events were subscribed to first, so that no end can fall between them and this look.
        for run_id in sorted(waiting):
            run = client.run(run_id)
            if run["status"] == "ended":
                yield run
        for event in events:
            if event.name == "gap":
                return  # we were too slow for some events: look at the runs anew
            if event.name == "run.ended" and event.data["run"]["id"] in waiting:
                yield client.run(event.data["run"]["id"])  # as the API shows a run by itself
    raise Disconnected(client.data, "has left")
