"""Listens to the server over its restarts: what goes on without it is waited for without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from rota.cli.complaint import say
from rota.client.problem import Disconnected, NoServer, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rota.client.client import Client
    from rota.model.error import RotaError

    T = TypeVar("T")

#: Seconds in which a server that went away may come back: an upgrade, a restart of the machine's services.
PATIENCE = 60.0

#: Seconds between two looks whether it is back.
LOOK = 0.25


def outlast(
    client: Client, listen: Callable[[], Iterator[T]], *, on_gone: Callable[[RotaError], None]
) -> Iterator[T]:
    """What `listen` tells, which is begun anew when it has told all, and when the server is back.

    That the server went away is told to `on_gone`, once. Raises NoServer or Disconnected when it is gone
    for longer than it may be.
    """
    told = False
    while True:
        try:
            yield from listen()
        except (NoServer, Disconnected, Problem) as error:
            if isinstance(error, Problem) and error.status != 503:
                raise
            if not told:
                on_gone(error)
            told = True
            time.sleep(LOOK)  # a server on its way out still answers
            return_of_server(client)


def say_gone(what: str) -> Callable[[RotaError], None]:
    """Says that `what` goes on without the server."""
    return lambda _: say(
        f"the server went away; the {what} goes on, and this command waits for the server to come back"
    )


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
