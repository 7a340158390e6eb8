"""Every task with how it stands, by name, a page at a time."""

from __future__ import annotations

import asyncio
import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.engine.timetable import Coming
    from rota.model.pause import Pause
    from rota.model.run import Run
    from rota.model.task import Task
    from rota.operations.rota import Rota

#: After so many tasks other requests get their turn.
STRETCH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskNow:
    """A task, and how it stands now."""

    task: Task
    running: int
    pending: int
    next_ticks: Sequence[Coming]
    last_runs: Sequence[Run]  #: newest first
    pauses: Sequence[Pause] = ()  #: that hold it, the narrowest first


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskPage:
    """Some of the tasks, by name; `next_name` is the last of them when there are more."""

    items: list[TaskNow]
    next_name: str | None


async def list_tasks(rota: Rota, *, limit: int, after: str | None) -> TaskPage:
    """The tasks that follow the name `after`, each with its next tick and its last run."""
    latest = await rota.store.latest_runs()
    names = sorted(rota.engine.tasks)
    first = 0 if after is None else bisect.bisect_right(names, after)
    chosen = names[first : first + limit]
    items = []
    for count, name in enumerate(chosen, start=1):
        if count % STRETCH == 0:
            await asyncio.sleep(0)
        if name not in rota.engine.tasks:  # a reload has taken it meanwhile
            continue
        last = latest.get(name)
        items.append(task_now(rota, name, ticks=1, last_runs=[] if last is None else [last]))
    more = first + limit < len(names)
    return TaskPage(items=items, next_name=chosen[-1] if more else None)


def task_now(rota: Rota, name: str, *, ticks: int, last_runs: Sequence[Run]) -> TaskNow:
    """How the engine has the task now."""
    return TaskNow(
        task=rota.engine.tasks[name],
        running=len(rota.engine.runs.running(name)),
        pending=len(rota.engine.runs.pending(name)),
        next_ticks=rota.engine.ticks.next(name, ticks),
        last_runs=last_runs,
        pauses=rota.engine.pausing.of(name),
    )
