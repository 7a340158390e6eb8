"""What an instance is after the end of its life: to be started again, when, or given up. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.engine.services.instance import Leaving
from rota.model.backoff import pause
from rota.model.run import EndReason
from rota.model.service import LONGEST_DELAY, Rest, Restart

if TYPE_CHECKING:
    from rota.engine.services.instance import Instance
    from rota.model.run import Run
    from rota.model.service import Service


def after_end(service: Service, instance: Instance, run: Run, now: float) -> Instance:
    """The instance without its life, which has ended as `run` says."""
    life = instance.life
    leaving = life.leaving if life is not None else None
    ended = replace(instance, life=None, last_run_id=run.id, counted=run.id, ill=None, message=_how(run))
    if leaving in (Leaving.UNWANTED, Leaving.REPLACED):
        return replace(ended, failures=0, restarts=0, ready_at=now, message=None)
    if rest := _rest(service, run, leaving):
        return replace(ended, at_rest=rest)
    if run.end_reason is EndReason.STOPPED and leaving is None:  # by somebody: it is no failure of its own
        return _again(service, ended, now)
    was_healthy = life is not None and life.was_healthy
    failures = 0 if was_healthy else instance.failures + 1
    if service.restart_attempts and failures >= service.restart_attempts:
        given_up = replace(ended, failures=failures, at_rest=Rest.GAVE_UP)
        return replace(given_up, message=message_of(given_up, run))
    return _again(service, replace(ended, failures=failures), now)


def delay(service: Service, failures: int) -> timedelta:
    """From the end of a life to the beginning of the next, after so many that were never healthy."""
    return pause(
        service.restart_backoff,
        first=service.restart_delay,
        failures=max(1, failures),
        longest=LONGEST_DELAY,
    )


def asked_for(instance: Instance, now: float) -> Instance:
    """Somebody wants it to live, whatever was before."""
    return replace(instance, failures=0, restarts=0, at_rest=None, ready_at=min(instance.ready_at, now))


def message_of(instance: Instance, run: Run) -> str | None:
    """Why an instance stands so after this life, as a sentence."""
    how = _how(run)
    if instance.at_rest is not Rest.GAVE_UP or not instance.failures:
        return how
    row = "1 failure" if instance.failures == 1 else f"{instance.failures} failures in a row"
    return f"given up after {row}: {how}"


def _how(run: Run) -> str | None:
    """How a life ended."""
    why = f": {run.message}" if run.message else ""
    match run.end_reason:
        case EndReason.SUCCESS | EndReason.FAILED if run.exit_code is not None:
            return f"it ended with exit code {run.exit_code}"
        case EndReason.FAILED:
            return f"it was ended by {run.signal or 'a signal'}"
        case EndReason.STOPPED if run.message is not None:
            return f"it was {run.message}"  # stopped by whom
        case EndReason.START_FAILED:
            return f"it could not be started{why}"
        case EndReason.LOST:
            return f"it was lost{why}"
        case None:
            return None
    return f"it ended as {run.end_reason}{why}"


def _rest(service: Service, run: Run, leaving: Leaving | None) -> Rest | None:
    """Whether the end of this life is the end of all."""
    good = leaving is None and (run.end_reason is EndReason.STOPPED or not run.is_failure)
    match service.restart:
        case Restart.ALWAYS:
            return None
        case Restart.ON_FAILURE:
            return Rest.DONE if good else None
        case Restart.NEVER:
            return Rest.DONE if good else Rest.GAVE_UP


def _again(service: Service, ended: Instance, now: float) -> Instance:
    wait = delay(service, ended.failures).total_seconds()
    return replace(ended, restarts=ended.restarts + 1, ready_at=now + wait)
