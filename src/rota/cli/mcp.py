"""`rota mcp`: what an agent's configuration starts."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from cyclopts import Parameter

from rota.cli.options import Given


def mcp(
    *,
    tier: Annotated[Literal["read", "operate", "admin"] | None, Parameter(name="--tier")] = None,
    options: Given,
) -> None:
    """Speak MCP on standard input and output, for an agent to start.

    It is a bridge to the server of the data folder, and starts one where none runs; that server, and what
    it runs, outlives the agent. The working folder gives it neither configuration nor data: those are
    named by options or ROTA_ variables, or lie in the XDG folders. `rota agent-guide` prints what to tell
    an agent.

    Parameters
    ----------
    tier
        Give the agent less than the server allows: `read` looks, `operate` also starts and stops tasks,
        `admin` also runs commands of its own.
    """
    from rota.client.bridge import Bridge
    from rota.config.places import config_path

    config = config_path(options.config, os.environ, here=False)
    Bridge(options.data_path(), config=config, tier=tier).run()
