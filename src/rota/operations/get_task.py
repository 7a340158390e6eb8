"""One task: its definition, its next ticks, its last runs, and whether it runs now."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rota.model.error import NotFound, Refused, TaskIsService, TaskNotFound
from rota.operations.list_tasks import TaskNow, task_now

if TYPE_CHECKING:
    from rota.operations.rota import Rota

NEXT_TICKS = 5
LAST_RUNS = 10


async def get_task(rota: Rota, name: str) -> TaskNow:
    """The task as it stands. Raises TaskNotFound and TaskIsService."""
    last_runs = await rota.store.last_runs(name, LAST_RUNS)
    if name not in rota.engine.tasks:
        raise not_found(rota, name)
    return task_now(rota, name, ticks=NEXT_TICKS, last_runs=last_runs)


def not_found(rota: Rota, name: str) -> NotFound | Refused:
    """That there is no such task, and which one may have been meant; or that it is a service."""
    if name in rota.engine.services.services:
        return TaskIsService(name)
    nearest = difflib.get_close_matches(name, rota.engine.tasks, n=1)
    return TaskNotFound(name, nearest[0] if nearest else None)
