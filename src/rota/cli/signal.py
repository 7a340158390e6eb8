"""`rota signal`: send the instances of a service a signal."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.suggest import suggest_services


def signal(
    service: Annotated[str, Parameter(completer=suggest_services)],
    name: str | None = None,
    /,
    *,
    instance: int | None = None,
    json: Json = False,
    options: Given,
) -> None:
    """Send the main process of each instance a signal: the service's `reload_signal`, or another.

    Parameters
    ----------
    service
        The service's name.
    name
        The signal, such as HUP or SIGHUP.
    instance
        The index of the only instance that gets it.
    """
    body: dict[str, Any] = {}
    if name is not None:
        body["signal"] = name if name.startswith("SIG") else f"SIG{name}"
    if instance is not None:
        body["instance"] = instance
    now = options.client().order(service, "signal", body)
    if json:
        Output().json(now)
        return
    sent = [each for each in now["instances"] if each["pid"] and instance in (None, each["index"])]
    what = body.get("signal") or now["reload_signal"]
    print(f"sent {what} to {len(sent)} instance{'' if len(sent) == 1 else 's'} of {service}")
