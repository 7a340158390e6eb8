"""`rota restore`: bring back runs that were deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.cli.options import Given, Json
from rota.cli.selection import EVERY, Which, do
from rota.cli.which_run import RunUnclear, is_whole

if TYPE_CHECKING:
    from rota.client.client import Client


def restore(*runs: str, which: Which = EVERY, json: Json = False, options: Given) -> int:
    """Bring back runs that were deleted, with their logs. `rota runs --deleted` lists them.

    Parameters
    ----------
    runs
        Ids of the runs, or unique endings of them of at least 4 characters.
    """
    client = options.client()
    return do(
        client,
        "restore",
        runs,
        which,
        done="restored",
        json=json,
        resolve=lambda text: _deleted(client, text),
    )


def _deleted(client: Client, text: str) -> str:
    """The id of the deleted run that `text` names. Raises RunUnclear."""
    text = text.lower()
    if is_whole(text):
        return text
    found = [
        run["id"] for run in client.runs({"deleted": "true", "limit": "1000"}) if run["id"].endswith(text)
    ]
    if len(found) != 1:
        many = "several deleted runs have" if found else "no deleted run has"
        raise RunUnclear(f"{many} an id that ends in {text!r} (`rota runs --deleted` lists them)")
    return str(found[0])
