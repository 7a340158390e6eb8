"""Taking up what an earlier server has left: what was wanted, how instances fared, and lives that go on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rota.engine.services.ending import after_end, delay, message_of
from rota.engine.services.instance import Instance, Leaving, Life
from rota.engine.services.order import autostarted
from rota.engine.services.supervised import Supervised
from rota.model.run import EndReason, Kind, Status
from rota.model.service import Remembered, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from rota.model.run import Run, RunId
    from rota.model.service import Service
    from rota.storage.services import Kept


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenUp:
    """What is there at the beginning."""

    services: dict[str, Supervised] = field(default_factory=dict)
    strays: list[RunId] = field(default_factory=list)  #: lives of services that there are no more


def take_up(
    services: Mapping[str, Service],
    kept: Kept,
    open_runs: Iterable[Run],
    *,
    now: float,
    ago: Callable[[datetime], float],
) -> TakenUp:
    """All of it. `ago` tells a moment of the wall clock by the one that does not jump."""
    found = TakenUp()
    started = autostarted(services)
    for name, service in services.items():
        wanted = kept.wanted.get(name) or Wanted(running=name in started, declared=service.instances)
        if wanted.declared != service.instances:
            wanted = replace(wanted, scale=None)
        it = found.services[name] = Supervised(service, wanted)
        for each in kept.instances.get(name, ()):
            it.instance(each.index)
            it.put(_as_remembered(each))
    for run in kept.last_lives:
        whose = found.services.get(run.task_name or "")
        if whose is not None and run.status is Status.ENDED:
            _take_up_end(whose, run, _kept_of(kept, whose, run), ago)
    for run in open_runs:
        if run.kind is Kind.SERVICE:
            _take_up_life(found, run, kept, now, ago)
    for it in found.services.values():
        it.fit()
    return found


def as_if_asked(it: Supervised, instance: Instance, run: Run) -> Instance:
    """The instance whose life has ended so, with what an earlier server had asked of that life."""
    life = instance.life
    if life is None or life.leaving is not None or run.end_reason is not EndReason.STOPPED:
        return instance
    if not it.is_wanted(instance.index):
        return replace(instance, life=replace(life, leaving=Leaving.UNWANTED))
    if run.id in it.wanted.stale:
        return replace(instance, life=replace(life, leaving=Leaving.REPLACED))
    if run.id == instance.ill:
        return replace(instance, life=replace(life, leaving=Leaving.UNHEALTHY))
    return instance


def remembered(instance: Instance) -> Remembered:
    """What the next server is to know of an instance."""
    life = instance.life if instance.life is not None and instance.life.was_healthy else None
    return Remembered(
        index=instance.index,
        run_id=instance.counted if life is None else life.run_id,
        was_healthy=life is not None,
        ill_run_id=instance.ill,
        failures=instance.failures,
        restarts=instance.restarts,
        at_rest=instance.at_rest,
    )


def _as_remembered(it: Remembered) -> Instance:
    return Instance(
        index=it.index,
        last_run_id=it.run_id,
        counted=None if it.was_healthy else it.run_id,
        ill=it.ill_run_id,
        failures=it.failures,
        restarts=it.restarts,
        at_rest=it.at_rest,
    )


def _kept_of(kept: Kept, it: Supervised, run: Run) -> Remembered | None:
    found = kept.instances.get(it.name, ())
    return next((each for each in found if each.index == run.instance_index), None)


def _was_healthy(run: Run, known: Remembered | None) -> bool:
    return known is not None and known.run_id == run.id and known.was_healthy


def _take_up_end(
    it: Supervised, run: Run, known: Remembered | None, ago: Callable[[datetime], float]
) -> None:
    """The latest life of an instance, which is over; perhaps while no server lived to count that."""
    if run.instance_index is None or run.end_at is None:
        return
    instance, ended = it.instance(run.instance_index), ago(run.end_at)
    if known is not None and known.run_id is not None and run.id < known.run_id:
        return  # what came after it has been counted; that run was deleted
    if instance.counted == run.id:
        pause = delay(it.service, instance.failures).total_seconds()
        it.put(
            replace(instance, last_run_id=run.id, ready_at=ended + pause, message=message_of(instance, run))
        )
        return
    living = replace(instance, life=Life(run_id=run.id, was_healthy=_was_healthy(run, known)))
    it.put(after_end(it.service, as_if_asked(it, living, run), run, ended), remember=True)


def _take_up_life(found: TakenUp, run: Run, kept: Kept, now: float, ago: Callable[[datetime], float]) -> None:
    it = found.services.get(run.task_name or "")
    if it is None or run.instance_index is None:
        found.strays.append(run.id)
        return
    instance = it.instance(run.instance_index)
    if instance.life is not None:
        found.strays.append(instance.life.run_id)  # nothing can have made two; one of them has to go
    life = Life(
        run_id=run.id,
        pid=run.pid,
        began=None if run.start_at is None else ago(run.start_at),
        watched=now,
        was_healthy=_was_healthy(run, _kept_of(kept, it, run)),
    )
    it.put(replace(instance, life=life, last_run_id=run.id))
