"""Which run is meant: by its id, by an ending of it that no other run has, or by a name."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from rota.client.problem import Problem
from rota.model.error import RotaError
from rota.model.task import NAME

if TYPE_CHECKING:
    from rota.client.client import Client

#: How many of a task's runs are looked at for one that may have written something.
RECENT = 50

#: How a run ends that never began.
SILENT = ("skipped", "queue_full", "missed")

_FULL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDING = re.compile(r"[0-9a-f-]{4,36}")


class RunUnclear(RotaError):
    """The text names no run, or more than one."""


def is_whole(text: str) -> bool:
    """Whether it is a whole id."""
    return _FULL.fullmatch(text.lower()) is not None


def run_or_latest(client: Client, text: str) -> dict[str, Any]:
    """The run that `text` names, or the latest of the task or job that it names. Raises RunUnclear.

    A trigger that was turned away and a tick that was missed have written nothing: the run before is meant.
    """
    if not _FULL.fullmatch(text.lower()):
        for filters in ({"task_name": text} if NAME.fullmatch(text) else {}, {"name": text}):
            if filters and (run := _latest(client, filters)) is not None:
                return run
        if not _ENDING.fullmatch(text.lower()):
            raise RunUnclear(
                f"no task or job named {text!r} has run, and no service is (`rota list` has the tasks, "
                "`rota services` the services, `rota runs` the runs)"
            )
    return the_run(client, text)


def is_id(text: str) -> bool:
    """Whether it is a whole id, which no name looks like."""
    return _FULL.fullmatch(text.lower()) is not None


def which_run(client: Client, text: str) -> str:
    """The id of the run that `text` names. Raises RunUnclear."""
    text = text.lower()
    return text if _FULL.fullmatch(text) else str(the_run(client, text)["id"])


def the_run(client: Client, text: str) -> dict[str, Any]:
    """The run that `text` names. Raises RunUnclear."""
    text = text.lower()
    if not _ENDING.fullmatch(text):
        raise RunUnclear(
            f"{text!r} names no run; "
            "give its id, or at least the last 4 characters of it (`rota runs` lists them)"
        )
    try:
        return client.run(text)
    except Problem as problem:
        if problem.kind != "run-unclear":
            raise
        listed = "".join(f"\n  {fault.value}  {fault.message}" for fault in problem.faults)
        raise RunUnclear(f"several runs have an id that ends in {text!r}; give more of it:{listed}") from None


def _latest(client: Client, filters: dict[str, str]) -> dict[str, Any] | None:
    runs = list(itertools.islice(client.runs({**filters, "limit": str(RECENT)}), RECENT))
    return next((run for run in runs if run["end_reason"] not in SILENT), runs[0] if runs else None)
