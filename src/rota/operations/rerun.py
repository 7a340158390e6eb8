"""Rerun: what a run did is done again, by a new run with the same parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.engine.effective_params import effective_params
from rota.model.error import Fault, Invalid, Refused, RunNotFound, TaskNotFound
from rota.model.run import Kind
from rota.model.secret import REDACTED
from rota.operations.once import once
from rota.operations.start_job import JobWanted, faults_of, start_job
from rota.operations.which_run import which_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.auth.caller import Caller
    from rota.model.job import Job
    from rota.model.run import Run, TriggeredBy
    from rota.model.task import Task
    from rota.operations.once import Triggered
    from rota.operations.rota import Rota
    from rota.storage.requests import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Anew:
    """What a rerun is given besides what its run had: above all the secrets, which are not kept."""

    params: Mapping[str, object] = field(default_factory=dict)  #: of a task; null leaves one out
    env: Mapping[str, str] = field(default_factory=dict)  #: of a job


NOTHING = Anew()


async def rerun(
    rota: Rota,
    run_id: str,
    anew: Anew = NOTHING,
    *,
    caller: Caller,
    triggered_by: TriggeredBy,
    request: Request | None = None,
) -> Triggered:
    """Start it again, or give the run that an earlier request of the same key started.

    Raises RunNotFound, RunUnclear, Refused, Invalid, StoreUnavailable, ShuttingDown, and what `trigger` or
    `start_job` do.
    """
    found = await which_run(rota, run_id)
    run = await rota.store.run(found)
    if run is None:
        raise RunNotFound(run_id)
    return await run_again(rota, run, anew, caller=caller, triggered_by=triggered_by, request=request)


async def run_again(
    rota: Rota,
    run: Run,
    anew: Anew = NOTHING,
    *,
    caller: Caller,
    triggered_by: TriggeredBy,
    request: Request | None = None,
) -> Triggered:
    """The same of a run that is at hand."""
    if run.job is not None:
        faults = list(_faults_of_job(run.job, anew))
        if faults:
            raise Invalid(faults)
        wanted = _job_of(run.job, anew)
        return await start_job(
            rota, wanted, caller=caller, triggered_by=triggered_by, rerun_of=run.id, request=request
        )
    task, params = _task_of(rota, run), _params_of(rota, run, anew)
    return await once(
        rota,
        request,
        lambda: rota.engine.triggering.trigger(
            task.name,
            triggered_by=triggered_by,
            params=params,
            actor=caller.actor,
            rerun_of=run.id,
            request=request,
        ),
    )


def check(rota: Rota, run: Run) -> None:
    """Raises what a rerun without anything new would be refused with, as far as it can be told beforehand."""
    if run.job is not None:
        faults = list(_faults_of_job(run.job, NOTHING))
        faults += faults_of(_job_of(run.job, NOTHING), rota.config.jobs, now=rota.engine.now())
        if faults:
            raise Invalid(faults)
    else:
        rota.engine.triggering.may_be_triggered(_task_of(rota, run).name)
        effective_params(_task_of(rota, run), _params_of(rota, run, NOTHING))


def _task_of(rota: Rota, run: Run) -> Task:
    if run.kind is Kind.SERVICE:
        raise Refused(f"run {run.id} was a life of service {run.task_name!r}; restart the service instead")
    task = rota.engine.tasks.get(run.task_name or "")
    if task is None:
        raise TaskNotFound(run.task_name or "")
    return task


def _params_of(rota: Rota, run: Run, anew: Anew) -> dict[str, object]:
    """What the run was given, and what is new. Raises Invalid where a secret would be needed again."""
    task = _task_of(rota, run)
    secrets = {param.name: param for param in task.params if param.secret}
    kept: dict[str, object] = {}
    faults = []
    for name, value in run.params.items():
        if value is None or (name not in secrets and value != REDACTED):
            kept[name] = value
        elif name not in anew.params and (name not in secrets or secrets[name].default is None):
            faults.append(
                Fault(
                    location=f"body.params.{name}", message="it is a secret, which is not kept: give it again"
                )
            )
    if faults:
        raise Invalid(faults)
    return {**kept, **anew.params}


def _job_of(job: Job, anew: Anew) -> JobWanted:
    return JobWanted(
        command=job.command,
        name=job.name,
        cwd=job.cwd,
        env=anew.env,
        timeout=job.timeout,
        stdin=job.stdin,
        pty=job.pty,
        tags=job.tags,
    )


def _faults_of_job(job: Job, anew: Anew) -> Iterator[Fault]:
    for name in anew.params:
        yield Fault(location=f"body.params.{name}", message="a job has no parameters; it has `env`")
    for name in job.env:
        if name not in anew.env:
            yield Fault(location=f"body.env.{name}", message="its value is not kept: give it again")
