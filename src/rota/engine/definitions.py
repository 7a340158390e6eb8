"""Definitions: what a run is an execution of: a task or service of the file, or the job that it carries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rota.engine.spawning import argv_of_job, spawn_of
from rota.model.job import JOBS
from rota.model.secret import Secret
from rota.model.task import EnvBase, Stdin, Task
from rota.storage.vault import Locked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.config.config import Jobs
    from rota.engine.login import Login
    from rota.keeper.account import Account
    from rota.keeper.link import Spawn
    from rota.model.job import Job
    from rota.model.run import Run
    from rota.model.service import Service
    from rota.storage.vault import Vault


class Undefined(Exception):
    """Nobody can say any more what the run is to do; the text says why."""


class Definitions:
    """The rules of every task and service, and of all jobs, by the name that `Run.defined_by` has for them.

    Whatever goes by rules (slots, retention, log caps) asks by that name, and need not know which it is.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        services: Mapping[str, Service],
        jobs: Jobs,
        *,
        vault: Vault,
        base: Mapping[str, str],
        folder: str,
    ) -> None:
        """`base` is the server's environment as tasks may see it, `folder` where they run."""
        self.rules: Mapping[str, Task] = {
            **tasks,
            **{name: service.life for name, service in services.items()},
            JOBS: rules_of(jobs),
        }
        self.login: Login | None = None  #: whose jobs are; known before the first of them
        self.clean: Mapping[str, str] = {}  #: what `env_base = "clean"` is; known before the first run
        self._services = services
        self._vault = vault
        self._base = base
        self._folder = folder

    def user(self, run: Run) -> str | None:
        """Whose the run is to be; None is the server's own."""
        task = self.rules.get(run.defined_by)
        return task.user if task is not None else None

    def spawn(self, run: Run, account: Account | None) -> Spawn:
        """What the keeper is told of a run; `account` is that of its user. Raises Undefined."""
        if run.job is not None:
            return self._spawn_of_job(run, run.job, account)
        task = self.rules.get(run.defined_by)
        if task is None:
            raise Undefined("its task, or service, is no longer in the configuration")
        base = self._base if task.env_base is EnvBase.INHERIT else self.clean
        given = self._secret_params(run, task)
        return spawn_of(
            run,
            task,
            base=base,
            folder=self._folder,
            account=account,
            given=given,
            **self._of_service(run),
        )

    def exit_codes(self, run: Run) -> frozenset[int]:
        """Those that are a success."""
        task = self.rules.get(run.defined_by)
        return task.exit_codes if task is not None else frozenset({0})

    def _of_service(self, run: Run) -> dict[str, Any]:
        """What only an instance of a service is given."""
        service = self._services.get(run.defined_by)
        if service is None or run.instance_index is None:
            return {}
        told, port, health = {}, service.port_of(run.instance_index), service.health
        if port is not None:
            told["PORT"] = str(port)
        if health is None or not health.notify:
            return {"told": told}
        told["WATCHDOG_USEC"] = str(health.patience // timedelta(microseconds=1))
        return {"told": told, "notify": True}

    def _secret_params(self, run: Run, task: Task) -> dict[str, Secret]:
        """The secret parameters of a run, which shows of them only that they are there."""
        wanted = [param for param in task.params if param.secret and run.params.get(param.name) is not None]
        if not wanted:
            return {}
        given = self._unsealed(run)
        secrets: dict[str, Secret] = {}
        for param in wanted:
            if param.name in given:
                secrets[param.name] = Secret(given[param.name])
            elif isinstance(param.default, Secret):
                secrets[param.name] = param.default
            else:
                raise Undefined(f"nobody knows the value of its secret parameter {param.name} any more")
        return secrets

    def _unsealed(self, run: Run) -> Mapping[str, str]:
        try:
            return {} if run.sealed is None else self._vault.open(run.sealed)
        except Locked as error:
            what = "environment" if run.job is not None else "secrets"
            raise Undefined(f"its {what} cannot be read: {error}") from error

    def _spawn_of_job(self, run: Run, job: Job, account: Account | None) -> Spawn:
        if self.login is None:
            raise Undefined("the user whose jobs these are is not known")
        rules = self.rules[JOBS]
        task = replace(
            rules,
            run=argv_of_job(job, rules.shell),
            env=self._unsealed(run),
            working_dir=job.cwd,
            timeout=job.timeout,
            stdin=job.stdin is Stdin.PIPE,
            pty=job.pty,
        )
        return spawn_of(run, task, base=self.login.environment, folder=self.login.home, account=account)


def rules_of(jobs: Jobs) -> Task:
    """What holds for all jobs, as a task says it."""
    return Task(
        name=JOBS,
        run=(),
        shell=jobs.shell,
        user=jobs.user,
        timeout=jobs.timeout,
        max_concurrent=jobs.max_concurrent,
        max_queued=jobs.max_queued,
        memory_max=jobs.memory_max,
        cpu_max=jobs.cpu_max,
        tasks_max=jobs.tasks_max,
        log_max_size=jobs.log_max_size,
        keep_runs=jobs.keep_runs,
        keep_for=jobs.keep_for,
    )
