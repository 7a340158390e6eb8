"""How a service and its instances stand, as it is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.engine.services.instance import state
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from rota.engine.services.instance import Instance
    from rota.engine.services.supervised import Supervised
    from rota.model.run import RunId
    from rota.model.service import Service, Wanted

#: The state of a service is the first of these that an instance has.
_WORST_FIRST = (
    InstanceState.FAILED,
    InstanceState.UNHEALTHY,
    InstanceState.BACKING_OFF,
    InstanceState.STARTING,
    InstanceState.STOPPING,
    InstanceState.HEALTHY,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceNow:
    """An instance as it stands."""

    index: int
    state: InstanceState
    since: datetime  #: when it came to stand so
    run_id: RunId | None  #: its life, or its last one
    pid: int | None
    port: int | None
    restarts: int  #: lives that followed another one by themselves, since it was last asked for
    failures: int  #: lives in a row that ended before they were healthy
    next_attempt_at: datetime | None  #: when it is started again
    message: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceNow:
    """A service as it stands."""

    service: Service
    wanted: Wanted
    state: InstanceState
    scale: int  #: how many instances are to live, when it is running
    healthy: int
    left: int  #: lives that a restart has yet to replace
    instances: Sequence[InstanceNow]


def service_now(it: Supervised, *, now: float, at: datetime, waits_for: str | None) -> ServiceNow:
    """How it stands at a moment, `now` by the clock that never jumps and `at` by the other."""
    instances = [_instance_now(it, each, now, at, waits_for) for each in it.instances]
    states = [each.state for each in instances]
    return ServiceNow(
        service=it.service,
        wanted=it.wanted,
        state=state_of_all(states),
        scale=it.scale,
        healthy=states.count(InstanceState.HEALTHY),
        left=len(it.lives & it.wanted.stale),
        instances=instances,
    )


def _instance_now(
    it: Supervised, instance: Instance, now: float, at: datetime, waits_for: str | None
) -> InstanceNow:
    here = state(it.service, instance, wanted=it.is_wanted(instance.index), now=now)
    _, since = it.told.get(instance.index, (here, at))
    waits = here is InstanceState.STARTING and instance.life is None and waits_for is not None
    backs_off = here is InstanceState.BACKING_OFF
    return InstanceNow(
        index=instance.index,
        state=here,
        since=since,
        run_id=instance.last_run_id,
        pid=None if instance.life is None else instance.life.pid,
        port=it.service.port_of(instance.index),
        restarts=instance.restarts,
        failures=instance.failures,
        next_attempt_at=at + timedelta(seconds=instance.ready_at - now) if backs_off else None,
        message=f"it waits for {waits_for}" if waits else instance.message,
    )


def state_of_all(states: Collection[InstanceState]) -> InstanceState:
    """One word for a service."""
    return next((each for each in _WORST_FIRST if each in states), InstanceState.STOPPED)
