"""The next attempt of a run that has failed: a function of run, task and time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.run import Run, RunId, TriggeredBy
from rota.timing.jitter import due

if TYPE_CHECKING:
    from datetime import datetime

    from rota.model.task import Task


def next_attempt(run: Run, ended: Run, task: Task, *, run_id: RunId, now: datetime, seed: str) -> Run | None:
    """The pending run that is to follow `run`, which has `ended`; None when its task wants none.

    It is given what `run` was given, secrets included. `seed` makes the jitter this installation's own.
    """
    if not task.retry.wants(ended):
        return None
    failed = run.retry_attempt + 1
    over = ended.end_at if ended.end_at is not None and ended.end_at < now else now  # the clock may be set
    at = due(over + task.retry.delay_after(failed), task.retry.jitter, seed, run.first_run_id, str(failed))
    return Run(
        id=run_id,
        kind=run.kind,
        task_name=run.task_name,
        triggered_by=TriggeredBy.RETRY,
        params=run.params,
        actor=run.actor,
        created_at=now,
        scheduled_at=at if run.meant_for is None else run.meant_for,
        due_at=None if run.meant_for is None else at,
        retry_attempt=failed,
        retry_of_run_id=run.first_run_id,
        sealed=run.sealed,
        upstream_run_id=run.upstream_run_id,
    )
