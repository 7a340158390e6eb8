"""How a service and its instances stand, as it is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.engine.services.instance import state
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
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

#: What an instance is in that goes on to another state by itself.
_PASSING = frozenset({InstanceState.STARTING, InstanceState.STOPPING, InstanceState.BACKING_OFF})

#: What a rolling restart goes on after: another life that is well, or one that has done its work.
_WELL = frozenset({InstanceState.HEALTHY, InstanceState.STOPPED})


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
    waiting_for: str | None  #: the service that has to be healthy before an instance of this one begins
    settled: bool  #: every instance stands as it will, unless something happens, and so does a restart
    instances: Sequence[InstanceNow]


def service_now(it: Supervised, *, now: float, at: datetime, needs: ServiceNow | None) -> ServiceNow:
    """How it stands at a moment, `now` by the clock that never jumps and `at` by the other.

    `needs` is what it depends on that is not healthy.
    """
    states = {each.index: _state(it, each, now) for each in it.instances}
    waiting = {each.index for each in it.instances if _waits(each, states) and needs is not None}
    return ServiceNow(
        service=it.service,
        wanted=it.wanted,
        state=state_of_all(states.values()),
        scale=it.scale,
        healthy=list(states.values()).count(InstanceState.HEALTHY),
        left=len(it.lives & it.wanted.stale),
        waiting_for=needs.service.name if needs is not None and waiting else None,
        settled=_is_settled(it, states, frozenset(waiting) if needs and needs.settled else frozenset()),
        instances=[
            _instance_now(it, each, now, at, needs if each.index in waiting else None)
            for each in it.instances
        ],
    )


def _state(it: Supervised, instance: Instance, now: float) -> InstanceState:
    return state(it.service, instance, wanted=it.is_wanted(instance.index), now=now)


def _waits(instance: Instance, states: Mapping[int, InstanceState]) -> bool:
    """Whether nothing but another service keeps it from beginning, if one does."""
    return instance.life is None and states[instance.index] is InstanceState.STARTING


def _is_settled(it: Supervised, states: Mapping[int, InstanceState], in_vain: Collection[int]) -> bool:
    """`in_vain`: instances that wait for what will not become healthy by itself."""
    if any(each.life is not None and not it.is_wanted(each.index) for each in it.instances):
        return False
    if any(here in _PASSING and index not in in_vain for index, here in states.items()):
        return False
    replaced = [each for each in it.instances if each.run_id not in it.wanted.stale]
    stands_still = any(states[each.index] not in _WELL for each in replaced)
    return stands_still or not it.lives & it.wanted.stale


def _instance_now(
    it: Supervised, instance: Instance, now: float, at: datetime, needs: ServiceNow | None
) -> InstanceNow:
    here = _state(it, instance, now)
    _, since = it.told.get(instance.index, (here, at))
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
        message=instance.message if needs is None else _wait(needs),
    )


def _wait(needs: ServiceNow) -> str:
    return f"it waits for {needs.service.name}, which is {needs.state.replace('_', ' ')}"


def state_of_all(states: Collection[InstanceState]) -> InstanceState:
    """One word for a service."""
    return next((each for each in _WORST_FIRST if each in states), InstanceState.STOPPED)
