"""`rota delete`: delete runs that have ended."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.options import Given, Json
from rota.cli.selection import EVERY, Which, do
from rota.cli.suggest import suggest_runs


def delete(
    *runs: Annotated[str, Parameter(completer=suggest_runs)],
    which: Which = EVERY,
    json: Json = False,
    options: Given,
) -> int:
    """Delete runs that have ended, with their logs. `rota restore` brings them back for a while.

    Parameters
    ----------
    runs
        Ids of the runs, or unique endings of them of at least 4 characters.
    """
    return do(options.client(), "delete", runs, which, done="deleted", json=json)
