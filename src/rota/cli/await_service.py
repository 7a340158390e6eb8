"""Waits until a service has come to stand as it shall, by the server's events, over its restarts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.cli.complaint import say
from rota.cli.outlast import outlast, say_gone
from rota.client.problem import Disconnected
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rota.client.client import Client

#: What is worth a line while somebody waits.
_TROUBLE = frozenset({InstanceState.BACKING_OFF, InstanceState.FAILED, InstanceState.UNHEALTHY})


def await_service(client: Client, name: str) -> dict[str, Any]:
    """The service once it has settled; what goes wrong meanwhile, with it or what it waits for, is said.

    Raises NoServer or Disconnected when the server is gone for longer than it may be.
    """
    changes = outlast(client, lambda: _changes(client, name), on_gone=say_gone("service"))
    return next(service for service in changes if service["settled"])


def conclude(service: Mapping[str, Any]) -> tuple[str, bool]:
    """How a service stands, as a sentence; and whether that is well."""
    name, state = service["name"], service["state"]
    count = service["scale"] if service["wanted"] else len(service["instances"])
    healthy = f"{service['healthy']} of {count} instance{'' if count == 1 else 's'} healthy"
    troubled = [each for each in service["instances"] if each["state"] in _TROUBLE or _waits(service, each)]
    if troubled:
        how = "has failed" if state == InstanceState.FAILED else f"is {state.replace('_', ' ')}"
        left = service["restarting"]
        stands = f"; its restart stands still, {left['left']} left to replace" if left else ""
        return f"{name} {how}, {healthy} ({'; '.join(_reasons(troubled))}){stands}", False
    if state == InstanceState.STOPPED:
        return f"{name} is stopped", True
    return f"{name} is {state}, {healthy}", True


def _waits(service: Mapping[str, Any], instance: Mapping[str, Any]) -> bool:
    waits = service["waiting_for"] is not None and instance["state"] == InstanceState.STARTING
    return waits and instance["pid"] is None


def _reasons(troubled: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Each reason once, with all instances that have it."""
    who: dict[str, list[str]] = {}
    for each in troubled:
        who.setdefault(each["message"] or each["state"], []).append(str(each["index"]))
    for reason, indexes in who.items():
        yield f"instance{'' if len(indexes) == 1 else 's'} {', '.join(indexes)}: {reason}"


def _changes(client: Client, name: str) -> Iterator[dict[str, Any]]:
    """The service as it stands now, and after each change of it and of what it waits for."""
    with client.events({"kind": [f"service.{state}" for state in InstanceState]}) as events:
        service = client.service(name)
        yield service
        for event in events:
            if event.name == "gap":
                return  # we were too slow for some events: look anew
            change = (event.data or {}).get("instance")
            if change is not None and change["service"] in (name, service["waiting_for"]):
                _tell(change, event.data["message"])
                service = client.service(name)
                yield service
    raise Disconnected(client.data, "has left")


def _tell(change: Mapping[str, Any], message: str | None) -> None:
    if change["state"] in _TROUBLE:
        why = f": {message}" if message else ""
        say(f"{change['service']}[{change['index']}] is {change['state'].replace('_', ' ')}{why}")
