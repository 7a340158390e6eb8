"""Resume: what a pause held goes on, unless another pause holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.pause import Pause, Scope
    from rota.operations.rota import Rota


async def resume(rota: Rota, scope: Scope) -> Sequence[Pause]:
    """The pauses that hold it all the same. Raises TaskNotFound, GroupNotFound, StoreUnavailable."""
    await rota.engine.pausing.resume(scope)
    return rota.engine.pausing.of_scope(scope)
