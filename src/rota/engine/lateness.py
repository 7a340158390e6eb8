"""When a pending run may start, and until when: a function of run, task and time. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from datetime import datetime

    from rota.model.task import Task


class Timing(StrEnum):
    """How a pending run stands to its time."""

    EARLY = "early"  #: it is not due yet: it holds no slot, and counts in no queue
    DUE = "due"  #: it may start
    LATE = "late"  #: it had to start by now: it is missed


class Timed(Protocol):
    """What may have a time at which it is due: a run, or the wish for one."""

    @property
    def due(self) -> datetime | None:
        """When it may start at the earliest; None: at once."""

    @property
    def triggered_by(self) -> TriggeredBy:
        """Who or what starts it."""


def timing_of(run: Timed, task: Task | None, now: datetime) -> Timing:
    """How this run, which has not started, stands to its time."""
    if run.due is not None and now < run.due:
        return Timing.EARLY
    deadline = deadline_of(run, task)
    return Timing.LATE if deadline is not None and now >= deadline else Timing.DUE


def deadline_of(run: Timed, task: Task | None) -> datetime | None:
    """The moment by which a run that has a time has to start; a retry is not bound to any."""
    if run.due is None or task is None or task.start_deadline is None:
        return None
    return None if run.triggered_by is TriggeredBy.RETRY else run.due + task.start_deadline


def look_at(run: Timed, task: Task | None, now: datetime) -> datetime | None:
    """When its standing changes next; None: not any more."""
    return run.due if run.due is not None and now < run.due else deadline_of(run, task)
