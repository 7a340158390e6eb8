"""`rota serve`: run the server."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.options import Given

LAST_PORT = 65535


def serve(
    *,
    any_port: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    options: Given,
) -> int:
    """Run the server, until it is told to end.

    SIGTERM or Ctrl-C ends the server alone: what runs goes on, and the next server takes it up again.
    `rota shutdown` ends the runs too.

    With ROTA_AUTH=off, requests over TCP need no token: whoever may open a connection to the port on this
    machine may then run the tasks.

    Parameters
    ----------
    any_port
        Take a free port when the one that is wanted is in use.
    """
    from rota.daemon import serve

    if options.port is not None and not 0 <= options.port <= LAST_PORT:
        raise Misuse(f"{options.port} is no port; --port and ROTA_PORT take a number from 0 to {LAST_PORT}")
    return serve(
        config=options.config_path(),
        data=options.data_path(),
        host=options.host,
        port=options.port,
        any_port=any_port,
    )
