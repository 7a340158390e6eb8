"""Waits until a service has come to stand as it shall, by the server's events, over its restarts too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rota.cli.await_ends import LOOK, return_of_server
from rota.cli.complaint import say
from rota.client.problem import Disconnected, NoServer, Problem
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rota.client.client import Client

#: What an instance is in that goes on to another state by itself.
_PASSING = frozenset({InstanceState.STARTING, InstanceState.STOPPING, InstanceState.BACKING_OFF})

#: What is worth a line while somebody waits.
_TROUBLE = frozenset({InstanceState.BACKING_OFF, InstanceState.FAILED, InstanceState.UNHEALTHY})


def has_settled(service: Mapping[str, Any]) -> bool:
    """Whether each instance stands as it will, unless something happens, and no restart is under way."""
    count = service["scale"] if service["wanted"] else 0
    return service["restarting"] is None and all(
        each["state"] not in _PASSING and (each["index"] < count or each["state"] == InstanceState.STOPPED)
        for each in service["instances"]
    )


def await_service(client: Client, name: str, done: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """The service once it stands so; what goes wrong meanwhile is said.

    Raises NoServer or Disconnected when the server is gone for longer than it may be.
    """
    told = False
    while True:
        try:
            for service in _changes(client, name):
                if done(service):
                    return service
        except (NoServer, Disconnected, Problem) as error:
            if isinstance(error, Problem) and error.status != 503:
                raise
            if not told:
                say("the server went away; the service goes on, and this command waits for the server")
            told = True
            time.sleep(LOOK)
            return_of_server(client)


def conclude(service: Mapping[str, Any]) -> tuple[str, bool]:
    """How a service stands, as a sentence; and whether that is well."""
    name, state = service["name"], service["state"]
    count = len(service["instances"])
    healthy = f"{service['healthy']} of {count} instance{'' if count == 1 else 's'} healthy"
    troubled = [each for each in service["instances"] if each["state"] in _TROUBLE]
    if troubled:
        why = "; ".join(f"instance {each['index']}: {each['message'] or each['state']}" for each in troubled)
        how = "has failed" if state == InstanceState.FAILED else f"is {state.replace('_', ' ')}"
        return f"{name} {how}, {healthy} ({why})", False
    if state == InstanceState.STOPPED:
        return f"{name} is stopped", True
    return f"{name} is {state}, {healthy}", True


def _changes(client: Client, name: str) -> Iterator[dict[str, Any]]:
    """The service as it stands now, and after each of its changes."""
    with client.events(
        {"task_name": name, "kind": [f"service.{state}" for state in InstanceState]}
    ) as events:
        yield client.service(name)
        for event in events:
            if event.name == "gap":
                return  # we were too slow for some events: look anew
            if (change := (event.data or {}).get("instance")) is not None:
                _tell(change, event.data["message"])
                yield client.service(name)
    raise Disconnected(client.data, "has left")


def _tell(change: Mapping[str, Any], message: str | None) -> None:
    if change["state"] in _TROUBLE:
        why = f": {message}" if message else ""
        say(f"{change['service']}[{change['index']}] is {change['state'].replace('_', ' ')}{why}")
