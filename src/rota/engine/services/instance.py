"""An instance of a service: the life that it has, how the lives before it went, and how it stands. Pure.

Moments are seconds by a clock that never jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rota.model.service import InstanceState, Rest

if TYPE_CHECKING:
    from rota.model.run import RunId
    from rota.model.service import Service


class Leaving(StrEnum):
    """Why a life was asked to end; it is how its log says who stopped it."""

    UNWANTED = "the stop of its service"  #: the instance is not to live
    REPLACED = "the restart of its service"  #: another life follows at once
    UNHEALTHY = "its health check"  #: another life follows, as after a failure


class Verdict(StrEnum):
    """What can be said of the health of a life."""

    UNKNOWN = "unknown"  #: it has not shown yet that it is well, and still has time to
    WELL = "well"
    ILL = "ill"


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """One life: a run that is open."""

    run_id: RunId
    pid: int | None = None
    began: float | None = None  #: when its process began; None while none is known to live
    watched: float = 0.0  #: since when it is known here that it lives: after its beginning, if taken up
    passed: bool = False  #: a check has said that it is well, or it has said so itself
    misses: int = 0  #: checks in a row that failed
    next_check: float = 0.0
    checking: bool = False  #: a check is under way
    pinged: float | None = None  #: when it last said that it lives, if it ever did
    departs_at: float | None = None  #: when it said that it is about to end, if it did
    was_healthy: bool = False  #: at any time
    leaving: Leaving | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One place of a service, whether it lives or not."""

    index: int
    life: Life | None = None
    last_run_id: RunId | None = None  #: of the life that it has, or had last
    counted: RunId | None = None  #: the latest life whose end is counted in what follows
    ill: RunId | None = None  #: the life that was asked to end for its health
    failures: int = 0  #: lives in a row that ended before they were healthy
    restarts: int = 0  #: lives that followed another one by themselves, since it was last asked for
    at_rest: Rest | None = None
    ready_at: float = 0.0  #: it gets no life before
    message: str | None = None  #: one sentence on why it stands so

    @property
    def run_id(self) -> RunId | None:
        """Of the life that it has."""
        return None if self.life is None else self.life.run_id


def verdict(service: Service, life: Life, now: float) -> Verdict:
    """The health of a life, as far as it is known."""
    if life.began is None:
        return Verdict.UNKNOWN
    if life.departs_at is not None and now >= _departed(service, life.departs_at):
        return Verdict.ILL
    check = service.health
    if check is not None:
        if not life.passed:
            return Verdict.ILL if now >= _deadline(service, life) else Verdict.UNKNOWN
        if life.misses >= check.retries or _is_silent(service, life, now):
            return Verdict.ILL
    lived = now >= life.began + service.healthy_after.total_seconds()
    return Verdict.WELL if lived or life.was_healthy else Verdict.UNKNOWN


def next_turn(service: Service, life: Life, now: float) -> float | None:
    """When the verdict may be another one although nothing has happened."""
    if life.began is None:
        return None
    turns = [life.began + service.healthy_after.total_seconds()]
    if service.health is not None:
        if not life.passed:
            turns.append(_deadline(service, life))
        elif life.pinged is not None:
            turns.append(life.pinged + service.health.patience.total_seconds())
    if life.departs_at is not None:
        turns.append(_departed(service, life.departs_at))
    return min((turn for turn in turns if turn > now), default=None)


def state(service: Service, instance: Instance, *, wanted: bool, now: float) -> InstanceState:
    """How it stands."""
    life = instance.life
    if life is not None:
        if life.leaving is not None or life.departs_at is not None:
            return InstanceState.STOPPING
        match verdict(service, life, now):
            case Verdict.WELL:
                return InstanceState.HEALTHY
            case Verdict.ILL:
                return InstanceState.UNHEALTHY
        return InstanceState.STARTING
    if not wanted or instance.at_rest is Rest.DONE:
        return InstanceState.STOPPED
    if instance.at_rest is Rest.GAVE_UP:
        return InstanceState.FAILED
    return InstanceState.BACKING_OFF if now < instance.ready_at else InstanceState.STARTING


def _deadline(service: Service, life: Life) -> float:
    """By when it has to have shown that it is well."""
    if service.health is None or life.began is None:
        return float("inf")
    given = service.health.start_period + max(service.health.patience, service.healthy_after)
    return max(life.began, life.watched) + given.total_seconds()


def _departed(service: Service, said_at: float) -> float:
    """By when it has to have ended of which it has said that it does: what is asked to has as long."""
    return said_at + service.life.grace.total_seconds()


def _is_silent(service: Service, life: Life, now: float) -> bool:
    """Whether it once said that it lives, and has not for too long."""
    if service.health is None or life.pinged is None:
        return False
    return now >= life.pinged + service.health.patience.total_seconds()
