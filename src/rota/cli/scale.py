"""`rota scale`: how many instances of a service there are."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.options import Given, Json
from rota.cli.order import order
from rota.cli.suggest import suggest_services


def scale(
    service: Annotated[str, Parameter(completer=suggest_services)],
    instances: int,
    /,
    *,
    wait: bool = True,
    json: Json = False,
    options: Given,
) -> int:
    """Have a service live in so many instances; one that is stopped stays so.

    It holds until the file's `instances` changes, the machine boots, or `rota shutdown`.

    Parameters
    ----------
    service
        The service's name.
    instances
        How many: from 1 to 64. Those with the highest indexes come and go.
    wait
        Wait until all of them are healthy, or have failed.
    """
    return order(options.client(), "scale", [service], body={"instances": instances}, wait=wait, json=json)
