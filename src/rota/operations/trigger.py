"""Trigger: start a task because somebody asks, once for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.engine.effective_params import effective_params
from rota.engine.later import faults_of_time
from rota.model.error import Invalid
from rota.operations.once import kept, once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rota.model.error import Fault
    from rota.model.run import Actor, TriggeredBy
    from rota.operations.once import Triggered
    from rota.operations.rota import Rota
    from rota.storage.requests import Request


async def trigger(
    rota: Rota,
    task_name: str,
    *,
    triggered_by: TriggeredBy,
    params: Mapping[str, object],
    at: datetime | None = None,
    actor: Actor | None = None,
    request: Request | None = None,
) -> Triggered:
    """Start the task, now or later, or give the run that an earlier request of the same key started.

    Raises TaskNotFound, ManualTriggerOff, Invalid, KeyReused, StoreUnavailable and ShuttingDown.
    """
    return await once(
        rota,
        request,
        lambda: rota.engine.triggering.trigger(
            task_name, triggered_by=triggered_by, params=params, at=at, actor=actor, request=request
        ),
    )


async def meaning_of(rota: Rota, task_name: str, params: Mapping[str, object]) -> Mapping[str, object]:
    """What these values are to an idempotency key. Raises StoreUnavailable."""
    task = rota.engine.tasks.get(task_name)
    names = {param.name for param in task.params if param.secret} if task is not None else set()
    secrets = {name: str(params[name]) for name in names if params.get(name) is not None}
    return {**params, **await kept(rota, secrets)}


def faults_of(
    rota: Rota, task_name: str, *, params: Mapping[str, object], at: datetime | None
) -> list[Fault]:
    """What a trigger with these values, for this time, would be refused for, whether there is such a task or
    not.
    """
    faults = list(faults_of_time(at, rota.engine.now()))
    task = rota.engine.tasks.get(task_name)
    try:
        if task is not None:
            effective_params(task, params)
    except Invalid as invalid:
        return [*invalid.faults, *faults]
    return faults
