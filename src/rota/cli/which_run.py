"""Which run is meant: by its id, or by an ending of it that no other run has."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from rota.model.error import RotaError
from rota.model.task import NAME

if TYPE_CHECKING:
    from rota.client.client import Client

#: An ending is looked for among so many of the newest runs.
WITHIN = 10_000

#: How many of a task's runs are looked at for one that may have written something.
RECENT = 50

#: How a run ends that never began.
SILENT = ("skipped", "queue_full", "missed")

#: An ending of so many characters is the last part of a UUID: 48 random bits, which one match settles.
CERTAIN = 12

_FULL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDING = re.compile(r"[0-9a-f-]{4,35}")


class RunUnclear(RotaError):
    """The text names no run, or more than one."""


def run_or_latest(client: Client, text: str) -> dict[str, Any]:
    """The run that `text` names, or the latest of the task that it names. Raises RunUnclear.

    A trigger that was turned away and a tick that was missed have written nothing: the run before is meant.
    """
    if not _FULL.fullmatch(text.lower()) and NAME.fullmatch(text):
        runs = list(itertools.islice(client.runs({"task_name": text, "limit": str(RECENT)}), RECENT))
        if runs:
            return next((run for run in runs if run["end_reason"] not in SILENT), runs[0])
        if not _ENDING.fullmatch(text.lower()):
            raise RunUnclear(
                f"no task named {text!r} has run (`rota list` has the tasks, `rota runs` the runs)"
            )
    return client.run(which_run(client, text))


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
