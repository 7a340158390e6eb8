"""`rota restart`: restart services, all at once or one instance after another."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.options import Given, Json
from rota.cli.order import order
from rota.cli.suggest import suggest_services


def restart(
    *services: Annotated[str, Parameter(completer=suggest_services)],
    rolling: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    wait: bool = True,
    json: Json = False,
    options: Given,
) -> int:
    """Restart services: each life is replaced by another. What is stopped is started.

    It waits until they have settled, and exits 1 when one of them is not healthy then.

    Parameters
    ----------
    services
        The services' names.
    rolling
        One instance at a time, and the next when all others are healthy; otherwise all at once.
    wait
        Wait until each of them is healthy, or has failed.
    """
    if not services:
        raise Misuse("name the services to restart; `rota services` lists them")
    return order(options.client(), "restart", services, body={"rolling": rolling}, wait=wait, json=json)
