"""Who may start: what becomes of a trigger, given who runs and who waits. Pure."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from rota.model.run import EndReason
from rota.model.task import Overlap
from rota.timing.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection

    from rota.model.run import Run, RunId
    from rota.model.task import Task


class Fate(StrEnum):
    """What becomes of a trigger."""

    START = "start"  #: a slot is free, and it takes it
    QUEUE = "queue"  #: it waits for its turn
    REPLACE = "replace"  #: it waits in the place of whoever waited, and a holder has to make room
    SKIP = "skip"  #: it is let go by
    FULL = "full"  #: as many wait already as may
    EARLY = "early"  #: it is not due yet, and admitted when it is
    LATE = "late"  #: it had to start before now
    KEPT = "kept"  #: it waits for the end of a pause
    PAUSED = "paused"  #: it would have started by itself, and a pause lets it go by


def admit(task: Task, *, holding: int, waiting: int, kept: int = 0, room: bool = True) -> Fate:
    """The fate of a trigger while `holding` runs have a slot of the task and `waiting` want one.

    `kept` more want one after a pause; `room` says whether the group and the server have a slot too. What
    only those have no slot for waits, whatever `on_overlap` says: the task is not running as often as it may.
    """
    beyond = holding + waiting - task.max_concurrent
    if beyond < 0:
        return Fate.START if room and not waiting else Fate.QUEUE  # nobody overtakes those who wait
    match task.on_overlap:
        case Overlap.SKIP:
            return Fate.SKIP
        case Overlap.REPLACE:
            return Fate.REPLACE
        case Overlap.QUEUE:
            return Fate.QUEUE if beyond + kept < task.max_queued else Fate.FULL


def displaced(task: Task, waiting: Collection[RunId], *, holding: int) -> list[RunId]:
    """Those who wait in vain because newer ones replace them."""
    if task.on_overlap is not Overlap.REPLACE:
        return []
    return list(islice(waiting, max(0, len(waiting) - max(1, task.max_concurrent - holding))))


def victim(
    task: Task, holders: Collection[RunId], *, leaving: Collection[RunId], waiting: int
) -> RunId | None:
    """Who has to make room for the one who waits: the oldest holder, unless one is leaving already."""
    if task.on_overlap is not Overlap.REPLACE or not waiting or len(holders) < task.max_concurrent:
        return None
    if any(holder in leaving for holder in holders):
        return None
    return next(iter(holders), None)


def refusal(fate: Fate, task: Task, run: Run) -> tuple[EndReason, str] | None:
    """How a run ends that admission turned away."""
    if fate is Fate.SKIP:
        return EndReason.SKIPPED, "the task was running, and on_overlap is skip"
    if fate is Fate.FULL:
        busy = "the task was running" if run.job is None else "as many jobs were running as may"
        return EndReason.QUEUE_FULL, f"{busy}, and as many waited as may (max_queued = {task.max_queued})"
    if fate is Fate.LATE and task.start_deadline is not None:
        deadline = format_duration(task.start_deadline)
        return EndReason.MISSED, f"it had not started within its start_deadline of {deadline}"
    return None
