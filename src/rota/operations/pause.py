"""Pause: nothing of a task, a group or everything starts by itself any more, until it is resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.pause import PauseKind
from rota.operations.get_service import check_no_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.pause import Pause, Scope
    from rota.model.run import Actor, TriggeredBy
    from rota.operations.rota import Rota


async def pause(
    rota: Rota, scope: Scope, *, reason: str | None, actor: Actor | None, via: TriggeredBy
) -> Sequence[Pause]:
    """The pauses that hold it now, the narrowest first.

    Raises TaskNotFound, TaskIsService, GroupNotFound and StoreUnavailable.
    """
    if scope.kind is PauseKind.TASK and scope.name is not None:
        check_no_service(rota, scope.name)
    await rota.engine.pausing.pause(scope, reason=reason, actor=actor, via=via)
    return rota.engine.pausing.of_scope(scope)
