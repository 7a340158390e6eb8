"""`rota start`: start services."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.options import Given, Json
from rota.cli.order import order
from rota.cli.suggest import suggest_services


def start(
    *services: Annotated[str, Parameter(completer=suggest_services)],
    wait: bool = True,
    json: Json = False,
    options: Given,
) -> int:
    """Start services, and what they depend on; instances that have failed are tried again.

    It waits until they have settled, and exits 1 when one of them is not healthy then.

    Parameters
    ----------
    services
        The services' names.
    wait
        Wait until each of them is healthy, or has failed.
    """
    if not services:
        raise Misuse("name the services to start; `rota services` lists them")
    return order(options.client(), "start", services, wait=wait, json=json)
