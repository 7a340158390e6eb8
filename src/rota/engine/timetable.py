"""The timetable: the schedules of the tasks, and what identifies them over restarts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rota.timing.bounded import Bounded, Days, first_allowed, last_allowed
from rota.timing.gap import next_tick
from rota.timing.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rota.model.run import RunId
    from rota.model.task import Task
    from rota.timing.calendar import Calendar
    from rota.timing.schedule import Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """A start that is to come by itself: a tick, or a pending run that is not due yet."""

    task_name: str
    scheduled_at: datetime
    due_at: datetime
    run_id: RunId | None = None  #: of the run that is written down for it already


class Timetable:
    """What makes ticks of tasks: the server's zone, and the calendars of its file."""

    def __init__(self, zone: str, calendars: Mapping[str, Calendar]) -> None:
        self._zone = zone
        self._calendars = calendars
        self._days: dict[tuple[tuple[str, ...], tuple[str, ...]], Days] = {}  # of tasks that keep to the same

    def schedules_of(self, task: Task) -> tuple[Schedule, ...]:
        """The schedules by which a task is due; none while it is not enabled."""
        if not task.enabled:
            return ()
        schedules = [parse_schedule(expression, task.timezone or self._zone) for expression in task.cron]
        if not (task.except_ or task.only or task.not_before or task.not_after):
            return tuple(schedules)
        return tuple(self._bounded(task, schedule) for schedule in schedules)

    def fingerprint(self, task: Task) -> str:
        """A text that changes when the task's ticks do: a changed schedule owes nothing of its past.

        One that was switched off has no ticks, so that switching it on again owes nothing either.
        """
        if not task.enabled or not task.cron:
            return ""
        bounds = [
            *(f"except {self._calendars[name].text}" for name in task.except_),
            *(f"only {self._calendars[name].text}" for name in task.only),
            *([f"not_before {task.not_before.isoformat()}"] if task.not_before else ()),
            *([f"not_after {task.not_after.isoformat()}"] if task.not_after else ()),
        ]
        return "\n".join((task.timezone or self._zone, *sorted(task.cron), *sorted(bounds)))

    def _bounded(self, task: Task, schedule: Schedule) -> Bounded:
        days = None
        if task.except_ or task.only:
            days = self._days.get((task.except_, task.only))
            if days is None:
                days = Days(
                    only=[self._calendars[name] for name in task.only],
                    but=[self._calendars[name] for name in task.except_],
                )
                self._days[task.except_, task.only] = days
        zone = schedule.zone
        return Bounded(
            text=schedule.text,
            zone=zone,
            within=schedule,
            days=days,
            not_before=None if task.not_before is None else first_allowed(task.not_before, zone),
            not_after=None if task.not_after is None else last_allowed(task.not_after, zone),
        )


def upcoming(schedules: Sequence[Schedule], after: datetime) -> Iterator[datetime]:
    """The ticks after an instant, in order."""
    tick = next_tick(schedules, after)
    while tick is not None:
        yield tick
        tick = next_tick(schedules, tick)
