"""`rota signal`: send the instances of a service a signal."""

from __future__ import annotations

import signal as signals
from contextlib import suppress
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
        The signal, such as HUP, SIGHUP or 1.
    instance
        The index of the only instance that gets it.
    """
    body: dict[str, Any] = {}
    if name is not None:
        body["signal"] = _name_of(name)
    if instance is not None:
        body["instance"] = instance
    now = options.client().order(service, "signal", body)
    if json:
        Output().json(now)
        return
    what = body.get("signal") or now["reload_signal"]
    print(f"sent {what} to {service if instance is None else f'{service}[{instance}]'}")


def _name_of(given: str) -> str:
    """A signal as kill(1) takes it: `HUP`, `SIGHUP`, `hup`, `1`. What is none is the server's to refuse."""
    if given.isdecimal():
        with suppress(ValueError):
            return signals.Signals(int(given)).name
    name = given.upper()
    return name if name.startswith("SIG") else f"SIG{name}"
