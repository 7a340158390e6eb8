"""Revisions: the definitions that a task has had, each with the number that runs name it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RevisionNotFound
from rota.operations.get_task import not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.definition import Revision
    from rota.operations.rota import Rota


async def revisions(rota: Rota, task_name: str) -> Sequence[Revision]:
    """All of them that are kept, the newest first; of a task that is gone too. Raises TaskNotFound."""
    found = await rota.store.revisions(task_name)
    if not found:
        raise not_found(rota, task_name)
    return found


async def revision(rota: Rota, task_name: str, number: int) -> Revision:
    """One of them. Raises TaskNotFound and RevisionNotFound."""
    found = await rota.store.revision(task_name, number)
    if found is None:
        kept = await revisions(rota, task_name)
        raise RevisionNotFound(task_name, number, newest=kept[0].number)
    return found
