"""What a keeper is told to spawn: a run and its definition, as arguments, environment and folder. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rota.keeper.messages import Spawn
from rota.model.param import ParamKind
from rota.model.shell import invocation
from rota.model.task import Stdin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rota.keeper.account import Account
    from rota.model.job import Job
    from rota.model.run import Run
    from rota.model.secret import Secret
    from rota.model.task import Task


NONE: Mapping[str, Secret] = {}
NOTHING: Mapping[str, str] = {}

#: What a service manager tells the server; a child that took it for its own would speak in the server's name.
_OF_SERVICE_MANAGER = frozenset(
    ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
)


def spawn_of(
    run: Run,
    task: Task,
    *,
    base: Mapping[str, str],
    folder: str,
    account: Account | None = None,
    given: Mapping[str, Secret] = NONE,
    told: Mapping[str, str] = NOTHING,
    notify: bool = False,
) -> Spawn:
    """The spawn of a run that was handed over; `base` is the environment that its own is added to.

    `account` is that of the user whose it is to be, if that is not the server's own. `given` are its secret
    parameters, `told` the variables of a service's instance, which `notify` lets say how it is.
    """
    secrets = (*task.secrets.values(), *given.values())
    if run.hand_over is None:
        raise ValueError(f"run {run.id} has not been handed over")
    return Spawn(
        run_id=run.id,
        attempt=run.hand_over.attempt,
        argv=argv_of(run, task),
        env={
            **environment_of(run, task, base if account is None else {**base, **account.environment}, given),
            **told,
        },
        cwd=task.working_dir or folder,
        timeout=task.timeout,
        stop_signal=task.stop_signal,
        grace=task.grace,
        keep_children=task.keep_children,
        merge_stderr=task.merge_stderr,
        log_max_size=task.log_max_size,
        log_on_full=task.log_on_full,
        stdin=Stdin.PIPE if task.stdin else Stdin.NONE,
        pty=task.pty,
        account=account,
        umask=task.umask,
        nice=task.nice,
        limits=task.limits,
        secrets=tuple(dict.fromkeys(secret.reveal() for secret in secrets)),
        notify=notify,
    )


def argv_of(run: Run, task: Task) -> tuple[str, ...]:
    """The program and its arguments: a list as it is, text through the shell, and the run's own behind it."""
    arguments = tuple(_arguments(run, task)) if task.params else ()
    if isinstance(task.run, str):
        return invocation(task.shell, task.run, arguments)
    return (*task.run, *arguments)


def argv_of_job(job: Job, shell: str) -> tuple[str, ...]:
    """The same of a job, whose text goes on after a command that fails: it was typed, and is no script."""
    if not isinstance(job.command, str):
        return job.command
    return (*shlex.split(shell), "-c", job.command)


def _arguments(run: Run, task: Task) -> Iterator[str]:
    for param in task.params:
        value = run.params.get(param.name)
        if value is None:
            continue
        match param.kind:
            case ParamKind.ARG:
                yield value
            case ParamKind.OPTION:
                yield from (param.name, value)
            case ParamKind.FLAG if value == "true":
                yield param.name


def environment_of(
    run: Run, task: Task, base: Mapping[str, str], given: Mapping[str, Secret] = NONE
) -> dict[str, str]:
    """The whole environment: each layer over the one before, and over all what Rota says of the run."""
    told = {
        "ROTA_RUN_ID": run.id,
        "ROTA_TRIGGERED_BY": run.triggered_by.value,
        "ROTA_ATTEMPT": str(run.retry_attempt + 1),
    }
    if run.upstream_run_id is not None:
        told["ROTA_UPSTREAM_RUN_ID"] = run.upstream_run_id
    if run.instance_index is not None:
        told["ROTA_SERVICE"] = run.defined_by
        told["ROTA_INSTANCE_INDEX"] = str(run.instance_index)
    elif run.task_name is not None:
        told["ROTA_TASK"] = run.task_name
    if run.meant_for is not None:
        told["ROTA_SCHEDULED_AT"] = _rfc3339(run.meant_for)
    return {
        **base,
        **_revealed(task.file_env),
        **task.env,
        **_revealed(task.secrets),
        **_variables(run, task),
        **_revealed(given),
        **told,
    }


def _revealed(secrets: Mapping[str, Secret]) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in secrets.items()}


def _variables(run: Run, task: Task) -> dict[str, str]:
    return {
        param.name: value
        for param in task.params
        if param.kind is ParamKind.ENV
        and not param.secret
        and (value := run.params.get(param.name)) is not None
    }


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What children may see of the server's environment: all but what is said to Rota, and only to it."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("ROTA_") and name not in _OF_SERVICE_MANAGER
    }


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")
