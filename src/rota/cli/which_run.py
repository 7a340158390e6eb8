"""Which run is meant: by its id, or by an ending of it that no other run has."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from rota.model.error import RotaError

if TYPE_CHECKING:
    from rota.client.client import Client

#: An ending is looked for among so many of the newest runs.
WITHIN = 10_000

#: An ending of so many characters is the last part of a UUID: 48 random bits, which one match settles.
CERTAIN = 12

_FULL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDING = re.compile(r"[0-9a-f-]{4,35}")


class RunUnclear(RotaError):
    """The text names no run, or more than one."""


def which_run(client: Client, text: str) -> str:
    """The id of the run that `text` names. Raises RunUnclear."""
    text = text.lower()
    if _FULL.fullmatch(text):
        return text
    if not _ENDING.fullmatch(text):
        raise RunUnclear(
            f"{text!r} names no run; "
            "give its id, or at least the last 4 characters of it (`rota runs` lists them)"
        )
    found: list[dict[str, Any]] = []
    for run in itertools.islice(client.runs({"limit": "1000"}), WITHIN):
        if run["id"].endswith(text):
            found.append(run)
            if len(text) >= CERTAIN:
                break
    if not found:
        raise RunUnclear(
            f"none of the newest {WITHIN:,} runs has an id that ends in {text!r}; give the whole id"
        )
    if len(found) > 1:
        listed = "".join(f"\n  {run['id']}  {run['task_name']}  {run['created_at']}" for run in found)
        raise RunUnclear(f"{len(found)} runs have an id that ends in {text!r}; give more of it:{listed}")
    return str(found[0]["id"])
