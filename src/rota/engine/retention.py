"""What is kept: which ended runs go, which logs, and when to look. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from rota.model.run import Run, RunId
    from rota.model.task import Task

#: Logs that have to make room make so much more of it, so that the next run's end need not ask again.
SPARE = 0.02

_TICKS = frozenset({TriggeredBy.CRON, TriggeredBy.CATCH_UP})

_SOONEST, _LATEST = timedelta(seconds=1), timedelta(hours=1)


def expired(
    task: Task,
    oldest: Sequence[Run],
    *,
    ended: int,
    now: datetime,
    horizon: datetime | None,
    retried: Collection[RunId] = (),
) -> list[Run]:
    """Those that go of a task's oldest ended runs, `ended` being the number of all of them.

    Of what has an attempt that is still open, by the id of the first in `retried`, all attempts stay.

    A tick beyond the horizon on file is claimed by its run's row alone: without it, a server that is killed
    before the horizon is saved would have the next one start the tick again.
    """
    excess = 0 if task.keep_runs is None else ended - task.keep_runs
    return [
        run
        for place, run in enumerate(oldest)
        if (place < excess or _is_past(task, run, now))
        and run.first_run_id not in retried
        and (
            run.scheduled_at is None
            or run.triggered_by not in _TICKS
            or (horizon is not None and run.scheduled_at <= horizon)
        )
    ]


def claims_a_tick(run: Run) -> bool:
    """Whether the run's row is a claim: to a tick, or to tell of a gap."""
    return run.scheduled_at is not None and run.triggered_by in (TriggeredBy.CRON, TriggeredBy.CATCH_UP)


def surplus(logs: Iterable[tuple[RunId, int]], *, total: int, max_size: int) -> list[RunId]:
    """Those that go of the oldest logs, until all together are small enough."""
    going = []
    too_much = total - max_size * (1 - SPARE)
    for run_id, size in logs:
        if too_much <= 0:
            break
        going.append(run_id)
        too_much -= size
    return going


def pause(task: Task) -> timedelta | None:
    """How long to wait between two looks at the task's runs; None when all of them are kept for ever.

    Where runs are counted, an end is a reason to look sooner; but some runs are only written down, such as
    those that were skipped, and no end of them is heard.
    """
    if task.keep_for is None:
        return None if task.keep_runs is None else _LATEST
    return min(_LATEST, max(_SOONEST, task.keep_for / 60))


def look_at_deleted(keep: timedelta) -> timedelta:
    """How long to wait between two looks at deleted runs."""
    return min(timedelta(minutes=1), max(_SOONEST, keep / 60))


def _is_past(task: Task, run: Run, now: datetime) -> bool:
    return task.keep_for is not None and run.end_at is not None and run.end_at <= now - task.keep_for
