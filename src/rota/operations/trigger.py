"""Trigger: start a task because somebody asks, once for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.operations.once import once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.model.run import Actor, TriggeredBy
    from rota.operations.once import Triggered
    from rota.operations.rota import Rota
    from rota.storage.requests import Request


async def trigger(
    rota: Rota,
    task_name: str,
    *,
    triggered_by: TriggeredBy,
    params: Mapping[str, str | None],
    actor: Actor | None = None,
    request: Request | None = None,
) -> Triggered:
    """Start the task, or give the run that an earlier request of the same key started.

    Raises TaskNotFound, ManualTriggerOff, Invalid, KeyReused, StoreUnavailable and ShuttingDown.
    """
    return await once(
        rota,
        request,
        lambda: rota.engine.trigger(
            task_name, triggered_by=triggered_by, params=params, actor=actor, request=request
        ),
    )
