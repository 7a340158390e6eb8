"""Definitions: what a run is an execution of: a task or service of the file, or the job that it carries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rota.engine.spawning import argv_of_job, spawn_of
from rota.model.job import JOBS
from rota.model.run import FAILURES, Kind
from rota.model.secret import REDACTED, Secret
from rota.model.task import EnvBase, Stdin, Task
from rota.storage.vault import Locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rota.config.config import Config, Jobs
    from rota.engine.login import Login
    from rota.keeper.account import Account
    from rota.keeper.messages import Spawn
    from rota.model.job import Job
    from rota.model.run import EndReason, Run
    from rota.model.service import Service
    from rota.storage.vault import Vault


class Undefined(Exception):
    """Nobody can say any more what the run is to do; the text says why."""


class Definitions:
    """The rules of every task and service, and of all jobs, by the name that `Run.defined_by` has for them.

    Whatever goes by rules (slots, retention, log caps) asks by that name, and need not know which it is. A
    reload changes what stands in `tasks` and `rules`, which stay the same mappings: so all who were given
    them go by the new ones from one moment on. A run keeps to the definition that it was started under.
    """

    def __init__(self, *, vault: Vault, base: Mapping[str, str]) -> None:
        """`base` is the server's environment as tasks may see it."""
        self._tasks: dict[str, Task] = {}
        self._rules: dict[str, Task] = {}
        self.tasks: Mapping[str, Task] = MappingProxyType(self._tasks)
        self.rules: Mapping[str, Task] = MappingProxyType(self._rules)
        self._revisions: Mapping[str, int] = {}
        self._former: dict[tuple[str, int], Task] = {}  # under which some open run was started
        self._judging: dict[tuple[str, int], Task] = {}  # those of earlier servers, as far as they are known
        self._after: Mapping[str, Sequence[Task]] = {}
        self.login: Login | None = None  #: whose jobs are; known before the first of them
        self.clean: Mapping[str, str] = {}  #: what `env_base = "clean"` is; known before the first run
        self._services: Mapping[str, Service] = {}
        self._vault = vault
        self._base = base
        self._folder = ""

    def take(self, config: Config, *, revisions: Mapping[str, int], folder: str) -> None:
        """Go by these from now on; `folder` is where tasks run that name none."""
        for name, rules in self._rules.items():
            if name in self._revisions and revisions.get(name) != self._revisions[name]:
                self._former[name, self._revisions[name]] = rules
        self._tasks.clear()
        self._tasks.update(config.tasks)
        self._after = comers_after(config.tasks.values())
        self._services = config.services
        self._rules.clear()
        self._rules.update(config.tasks)
        self._rules.update({name: service.life for name, service in config.services.items()})
        self._rules[JOBS] = rules_of(config.jobs)
        self._revisions = revisions
        self._folder = folder

    def judge_by(self, former: Task, revision: int) -> None:
        """A definition of an earlier server's, which some open run was started under."""
        self._judging[former.name, revision] = former

    def forget(self, open_runs: Iterable[Run]) -> None:
        """Let go of the former definitions that none of these was started under."""
        used = {(run.defined_by, run.revision) for run in open_runs}
        self._former = {key: task for key, task in self._former.items() if key in used}

    def revision_of(self, name: str) -> int | None:
        """The number of a task's definition; None for jobs, whose runs carry theirs."""
        return self._revisions.get(name)

    def is_former(self, run: Run) -> bool:
        """Whether the run was started under another definition than its task has now."""
        return run.revision is not None and run.revision != self._revisions.get(run.defined_by)

    def defines(self, run: Run) -> bool:
        """Whether what it is a run of is there. A task is none when a service has its name by now."""
        match run.kind:
            case Kind.TASK:
                return run.defined_by in self._tasks
            case Kind.SERVICE:
                return run.defined_by in self._services
            case Kind.JOB:
                return True

    def is_of_today(self, run: Run) -> bool:
        """Whether its task is there, and says what it said when the run was handed over."""
        return self.defines(run) and not self.is_former(run)

    def of(self, run: Run) -> Task | None:
        """The rules of a run: those that it was started under; None when its task is gone."""
        if run.revision is not None and self.is_former(run):
            former = self._former.get((run.defined_by, run.revision))
            if former is not None:
                return former
        return self._rules.get(run.defined_by)

    def judging(self, run: Run) -> Task | None:
        """By what its end is judged (`exit_codes`, `failures`, `retry`): what it was started under."""
        return self._judging.get((run.defined_by, run.revision or 0)) or self.of(run)

    def user(self, run: Run) -> str | None:
        """Whose the run is to be; None is the server's own."""
        task = self.of(run)
        return task.user if task is not None else None

    def spawn(self, run: Run, account: Account | None) -> Spawn:
        """What the keeper is told of a run; `account` is that of its user. Raises Undefined."""
        if run.job is not None:
            return self._spawn_of_job(run, run.job, account)
        task = self.of(run)
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
        task = self.judging(run)
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

    def after(self, name: str) -> Sequence[Task]:
        """The tasks that come after this one."""
        return self._after.get(name, ())

    def failures(self, run: Run) -> frozenset[EndReason]:
        """The ends of it that count as failures."""
        task = self.judging(run)
        return task.failures if task is not None else FAILURES

    def _secret_params(self, run: Run, task: Task) -> dict[str, Secret]:
        """The secret parameters of a run, which shows of them only that they are there.

        What was a secret when it was given is one to the end, whatever its task says of it since a reload.
        """
        shown = {param: run.params.get(param.name) for param in task.params}
        if run.sealed is None and not any(param.secret and shown[param] is not None for param in shown):
            return {}
        given = self._unsealed(run)
        secrets: dict[str, Secret] = {}
        for param, text in shown.items():
            if text is None:
                continue
            if param.name in given:
                if param.is_argument:
                    raise Undefined(f"its parameter {param.name} was a secret, and is an argument now")
                secrets[param.name] = Secret(given[param.name])
            elif param.secret and text != REDACTED:
                secrets[param.name] = Secret(text)
            elif param.secret and isinstance(param.default, Secret):
                secrets[param.name] = param.default
            elif param.secret:
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


def comers_after(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    """By the name of each task those that come after it."""
    after: dict[str, list[Task]] = {}
    for task in tasks:
        for upstream in dict.fromkeys((*task.after, *task.after_failure)):
            after.setdefault(upstream, []).append(task)
    return after


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
