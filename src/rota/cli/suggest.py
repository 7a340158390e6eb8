"""What the shell offers on Tab: the names of tasks, of services, and of runs."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

from rota.cli.label import label
from rota.cli.options import Options
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.client.client import Client

#: How many of the newest runs are offered.
RUNS = 50


def suggest_tasks(context: Any) -> list[tuple[str, str]]:
    """Every task, with its description."""
    return _quietly((task["name"], task["description"] or "") for task in _client(context).tasks())


def suggest_services(context: Any) -> list[tuple[str, str]]:
    """Every service, with how it stands."""
    return _quietly((service["name"], service["state"]) for service in _client(context).services())


def suggest_runs_and_services(context: Any) -> list[tuple[str, str]]:
    """What `rota stop` and `rota logs` take."""
    return [*suggest_services(context), *suggest_runs(context)]


def suggest_runs(context: Any) -> list[tuple[str, str]]:
    """The newest runs, with their tasks."""
    runs = itertools.islice(_client(context).runs(), RUNS)
    return _quietly((run["id"], f"{label(run)} {run['end_reason'] or run['status']}") for run in runs)


def _client(context: Any) -> Client:
    data = context.get("--data")  # as far as the line was typed
    return Options(data=data.raw if data is not None else None).client()


def _quietly(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    with contextlib.suppress(RotaError):  # no server: there is nothing to offer, and nobody to tell
        found.extend(pairs)
    return found
