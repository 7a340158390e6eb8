"""The timetable: the schedules of the tasks, and what identifies them over restarts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.timing.gap import next_tick
from rota.timing.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rota.model.task import Task
    from rota.timing.schedule import Schedule


def schedules_of(task: Task, zone: str) -> tuple[Schedule, ...]:
    """The schedules by which a task is due; none while it is not enabled. `zone` is the server's."""
    if not task.enabled:
        return ()
    return tuple(parse_schedule(expression, task.timezone or zone) for expression in task.cron)


def fingerprint(task: Task, zone: str) -> str:
    """A text that changes when the task's ticks do: a changed schedule owes nothing of its past.

    One that was switched off has no ticks, so that switching it on again owes nothing either.
    """
    if not task.enabled or not task.cron:
        return ""
    return "\n".join((task.timezone or zone, *sorted(task.cron)))


def upcoming(schedules: Sequence[Schedule], after: datetime) -> Iterator[datetime]:
    """The ticks after an instant, in order."""
    tick = next_tick(schedules, after)
    while tick is not None:
        yield tick
        tick = next_tick(schedules, tick)
