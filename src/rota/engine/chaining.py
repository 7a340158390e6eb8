"""Chaining: the runs of other tasks that an end may begin. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.engine.effective_params import effective_params
from rota.model.run import EndReason, Kind, Run, RunId, TriggeredBy
from rota.storage.sequel import Chained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from rota.model.task import Task

#: A run that ended so was never begun, so nothing comes after it.
NEVER_BEGUN = frozenset({EndReason.SKIPPED, EndReason.QUEUE_FULL, EndReason.MISSED})


def chained(
    ended: Run, after: Iterable[Task], *, run_id: Callable[[], RunId], now: datetime
) -> tuple[Chained, ...]:
    """What comes of this end for the tasks that come `after` its own."""
    name = ended.task_name if ended.kind is Kind.TASK else None
    if name is None or ended.end_reason in NEVER_BEGUN or ended.next_attempt_run_id is not None:
        return ()
    well = ended.end_reason is EndReason.SUCCESS
    return tuple(
        Chained(
            upstream_name=name,
            others=frozenset(task.after) - {name} if well else frozenset(),
            run=Run(
                id=run_id(),
                task_name=task.name,
                triggered_by=TriggeredBy.UPSTREAM,
                params=effective_params(task, {}).params,
                created_at=now,
                upstream_run_id=ended.id,
            ),
        )
        for task in after
        if task.enabled
        and ((well and name in task.after) or (ended.is_failure and name in task.after_failure))
    )
