"""Resume: what a pause held goes on, unless another pause holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import TaskNotFound
from rota.operations.get_service import check_no_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.pause import Pause, Scope
    from rota.operations.rota import Rota


async def resume(rota: Rota, scope: Scope) -> Sequence[Pause]:
    """The pauses that hold it all the same.

    Raises TaskNotFound, TaskIsService, GroupNotFound and StoreUnavailable.
    """
    try:
        await rota.engine.pausing.resume(scope)
    except TaskNotFound:  # asked after, since what is paused can be resumed whatever became of it
        check_no_service(rota, scope.name or "")
        raise
    return rota.engine.pausing.of_scope(scope)
