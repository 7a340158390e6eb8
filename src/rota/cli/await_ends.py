"""Waits for the ends of runs by the server's events, over its restarts too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rota.client.problem import Disconnected, NoServer, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from rota.client.client import Client
    from rota.model.error import RotaError

#: Seconds in which a server that went away may come back: an upgrade, a restart of the machine's services.
PATIENCE = 60.0

#: Seconds between two looks whether it is back.
LOOK = 0.25


def await_ends(
    client: Client, run_ids: Collection[str], *, on_gone: Callable[[RotaError], None]
) -> Iterator[dict[str, Any]]:
    """Each run once it has ended, in the order of their ends.

    That the server went away is told to `on_gone`, once. Raises NoServer or Disconnected when it is gone
    for longer than it may be.
    """
    waiting, told = set(run_ids), False
    while waiting:
        try:
            for run in _ends(client, waiting):
                waiting.discard(run["id"])
                yield run
                if not waiting:
                    return
        except (NoServer, Disconnected, Problem) as error:
            if isinstance(error, Problem) and error.status != 503:
                raise
            if not told:
                on_gone(error)
            told = True
            time.sleep(LOOK)  # a server on its way out still answers
            return_of_server(client)


def return_of_server(client: Client) -> None:
    """Come back once the server answers; NoServer or Disconnected when it did not in time."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.info()
        except (NoServer, Disconnected, Problem):
            if time.monotonic() >= deadline:
                raise
            time.sleep(LOOK)
        else:
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
