"""Triggering: tasks and jobs that somebody asks for become runs."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rota.engine.asked import Asked
from rota.engine.effective_params import effective_params
from rota.engine.later import faults_of_time
from rota.engine.login import login
from rota.engine.sealing import digests, seal
from rota.keeper.account import NoAccount
from rota.model.error import Invalid, JobRefused, ManualTriggerOff, TaskIsService, TaskNotFound
from rota.model.job import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from rota.engine.clock import Clock
    from rota.engine.definitions import Definitions
    from rota.engine.effective_params import Effective
    from rota.engine.intake import Intake
    from rota.engine.login import Login
    from rota.engine.runs import Runs
    from rota.model.job import Job
    from rota.model.run import Actor, Run, RunId, TriggeredBy
    from rota.model.task import Task
    from rota.storage.requests import Request
    from rota.storage.vault import Vault


class Triggering:
    """Whoever asks for a run is answered with it as it was written down."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        services: Callable[[], Collection[str]],
        jobs_user: Callable[[], str | None],
        vault: Vault,
        intake: Intake,
        runs: Runs,
        clock: Clock,
        may_write: Callable[[], None],
    ) -> None:
        """`may_write` raises ShuttingDown, or StoreUnavailable, when nothing can be started."""
        self._definitions = definitions
        self._services = services
        self._jobs_user = jobs_user
        self._vault = vault
        self._intake = intake
        self._runs = runs
        self._clock = clock
        self._may_write = may_write

    async def trigger(
        self,
        task_name: str,
        *,
        triggered_by: TriggeredBy,
        params: Mapping[str, object] | None = None,
        at: datetime | None = None,
        actor: Actor | None = None,
        rerun_of: RunId | None = None,
        request: Request | None = None,
    ) -> Run:
        """Make a run of the task, and start it, have it wait, or keep it for `at`: the run as written down.

        `params` are values for what it declares, as in a trigger's body. One that overlap turned away is
        returned ended. Raises TaskNotFound, TaskIsService, ManualTriggerOff, Invalid, StoreUnavailable and
        ShuttingDown, and KeyTaken when the request's key has its run already. It is carried out even if the
        caller goes away.
        """
        task = self.may_be_triggered(task_name)
        effective = self._effective(task, params or {}, at)
        self._may_write()
        sealed = None
        if effective.secrets:
            secrets = {name: value.reveal() for name, value in effective.secrets.items()}
            sealed = await seal(self._vault, secrets)
            task = self.may_be_triggered(task_name)  # there may have been a reload meanwhile
        asked = Asked(
            triggered_by=triggered_by,
            effective=effective,
            actor=actor,
            sealed=sealed,
            scheduled_at=at,
            rerun_of=rerun_of,
        )
        return self._runs.shown(await self._intake.trigger(task, asked, request))

    async def start_job(
        self,
        job: Job,
        *,
        env: Mapping[str, str],
        triggered_by: TriggeredBy,
        at: datetime | None = None,
        actor: Actor | None = None,
        rerun_of: RunId | None = None,
        request: Request | None = None,
    ) -> Run:
        """Make a run of the job, and start it, have it wait, or keep it for `at`: the run as written down.

        Whether it may be started was asked before. Raises JobRefused when there is no such user as the jobs'
        is to be, StoreUnavailable and ShuttingDown, and KeyTaken when the request's key has its run already.
        It is carried out even if the caller goes away.
        """
        self._may_write()
        await self.login()
        sealed = await seal(self._vault, env)
        asked = Asked(
            triggered_by=triggered_by, actor=actor, job=job, scheduled_at=at, sealed=sealed, rerun_of=rerun_of
        )
        return self._runs.shown(await self._intake.trigger(self._definitions.rules[JOBS], asked, request))

    def may_be_triggered(self, task_name: str) -> Task:
        """The task, if anybody may start it. Raises TaskNotFound, TaskIsService and ManualTriggerOff."""
        tasks = self._definitions.tasks
        task = tasks.get(task_name)
        if task_name in self._services():
            raise TaskIsService(task_name)
        if task is None:
            raise TaskNotFound(task_name, next(iter(get_close_matches(task_name, tasks, 1)), None))
        if not task.manual_trigger:
            raise ManualTriggerOff(task_name)
        return task

    async def login(self) -> Login:
        """Whose jobs are, and what they find. Raises JobRefused when the machine has no such user."""
        if self._definitions.login is None:
            try:
                self._definitions.login = await asyncio.to_thread(login, self._jobs_user())
            except NoAccount as error:
                raise JobRefused(f"[jobs] user: {error}") from error
        return self._definitions.login

    async def digests(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """What tells equal secrets of requests from others. Raises StoreUnavailable."""
        return await digests(self._vault, secrets)

    def _effective(self, task: Task, params: Mapping[str, object], at: datetime | None) -> Effective:
        """What the run is given. Raises Invalid, which names every fault of what was asked for."""
        faults = list(faults_of_time(at, self._clock.now()))
        try:
            effective = effective_params(task, params)
        except Invalid as invalid:
            raise Invalid([*invalid.faults, *faults]) from None
        if faults:
            raise Invalid(faults)
        return effective
