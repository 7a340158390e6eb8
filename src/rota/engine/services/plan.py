"""What to do next with a service: which instances begin, which are to end, which are looked at. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.engine.services.instance import Leaving, Verdict, next_turn, state, verdict
from rota.model.service import InstanceState, Rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rota.engine.services.instance import Instance, Life
    from rota.model.service import Service, Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What of other services bears on one."""

    waits_for: str | None = None  #: what it depends on, and is not healthy
    held_by: str | None = None  #: what depends on it, is to end too, and goes first


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Steps, all of which can be taken at once."""

    start: tuple[int, ...] = ()  #: instances that get a life
    stop: tuple[tuple[int, Leaving], ...] = ()  #: instances whose life is to end
    check: tuple[int, ...] = ()  #: instances whose health is to be looked at
    is_replaced: bool = False  #: a restart has replaced every life that it was to
    wake: float | None = None  #: when there may be more to do, if nothing happens before


def wanted_instances(service: Service, wanted: Wanted) -> int:
    """How many are to live."""
    if not wanted.running:
        return 0
    return service.instances if wanted.scale is None else wanted.scale


def plan(service: Service, wanted: Wanted, instances: Sequence[Instance], around: Around, now: float) -> Plan:
    """The next steps of a service, of which there are none while all is as it should be."""
    count = wanted_instances(service, wanted)
    living = [instance for instance in instances[:count] if instance.life is not None]
    start = [
        instance.index
        for instance in instances[:count]
        if instance.life is None and instance.at_rest is None and instance.ready_at <= now
    ]
    stop = dict(_ill(service, living, now))
    stop.update(_to_replace(service, wanted, instances[:count], now))
    if around.held_by is None:
        stop.update(
            (instance.index, Leaving.UNWANTED)
            for instance in instances[count:]
            if instance.life is not None and instance.life.leaving is None
        )
    return Plan(
        start=() if around.waits_for is not None else tuple(start),
        stop=tuple(stop.items()),
        check=tuple(instance.index for instance in living if _is_to_check(service, instance.life, now)),
        is_replaced=bool(wanted.stale) and not _stale(wanted, instances[:count]),
        wake=min(_turns(service, instances[:count], now), default=None),
    )


def is_ready(service: Service, wanted: Wanted, instances: Sequence[Instance], now: float) -> bool:
    """Whether those that depend on a service may begin: all of it is healthy that has not given up."""
    states = [
        state(service, each, wanted=True, now=now) for each in instances[: wanted_instances(service, wanted)]
    ]
    healthy = states.count(InstanceState.HEALTHY)
    return (
        0 < healthy == len(states) - states.count(InstanceState.FAILED) - states.count(InstanceState.STOPPED)
    )


def _to_replace(
    service: Service, wanted: Wanted, instances: Sequence[Instance], now: float
) -> Iterator[tuple[int, Leaving]]:
    """Whose life a restart replaces now: all at once; or one, when every other instance is healthy."""
    stale = _stale(wanted, instances)
    here = [each for each in stale if each.life is not None and each.life.leaving is None]
    if not wanted.rolling:
        yield from ((each.index, Leaving.REPLACED) for each in here)
        return
    if len(here) < len(stale) or not here:
        return  # one of them is on its way
    well = {
        each.index
        for each in instances
        if each.at_rest is Rest.DONE or state(service, each, wanted=True, now=now) is InstanceState.HEALTHY
    }
    if all(each.index in well for each in instances if each not in stale):
        first = min(here, key=lambda each: (each.index in well, each.index))  # who is not well is not missed
        yield first.index, Leaving.REPLACED


def _stale(wanted: Wanted, instances: Sequence[Instance]) -> list[Instance]:
    return [each for each in instances if each.run_id in wanted.stale]


def _ill(service: Service, living: Sequence[Instance], now: float) -> Iterator[tuple[int, Leaving]]:
    if service.health is None or not service.health.restart:
        return
    for instance in living:
        life = instance.life
        if life is not None and life.leaving is None and verdict(service, life, now) is Verdict.ILL:
            yield instance.index, Leaving.UNHEALTHY


def _is_to_check(service: Service, life: Life | None, now: float) -> bool:
    if life is None or service.health is None or service.health.notify:
        return False
    return life.began is not None and life.leaving is None and not life.checking and life.next_check <= now


def _turns(service: Service, instances: Sequence[Instance], now: float) -> Iterator[float]:
    """Moments at which there may be something to do."""
    for instance in instances:
        life = instance.life
        if life is None:
            if instance.at_rest is None and instance.ready_at > now:
                yield instance.ready_at
        elif life.leaving is None:
            turn = next_turn(service, life, now)
            if turn is not None:
                yield turn
            polled = service.health is not None and not service.health.notify
            if polled and life.began is not None and not life.checking and life.next_check > now:
                yield life.next_check
