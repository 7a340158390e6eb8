"""Why: what became of the ticks of a task, told from what is written of its runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from rota.engine.sharing import whose_slots
from rota.engine.timetable import upcoming
from rota.model.run import EndReason, Run, RunId, Status, TriggeredBy, WaitingFor, WaitKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rota.model.task import Task
    from rota.timing.schedule import Schedule

HARDLY_WAITED = timedelta(seconds=1)
"""A run that started so soon after it was due did not wait for another."""

_NONE: Mapping[RunId, WaitingFor] = {}

_MOST_EXPECTED = 1_000  #: ticks that are looked for among the runs, at most


class Outcome(StrEnum):
    """What became of a tick."""

    RAN = "ran"  #: it started; `end_reason` says how it went
    RUNNING = "running"  #: its process lives
    WAITING = "waiting"  #: it waits for its turn
    NOT_DUE = "not_due"  #: jitter puts it off
    SKIPPED = "skipped"  #: its overlap rule let it go by, or a newer one took its place
    QUEUE_FULL = "queue_full"  #: as many waited already as may
    MISSED = "missed"  #: nothing could run it then, or it was too late for it
    CANCELLED = "cancelled"  #: somebody withdrew it before it started
    START_FAILED = "start_failed"  #: nothing was spawned
    UNRECORDED = "unrecorded"  #: no run tells of it


@dataclass(frozen=True, kw_only=True, slots=True)
class TickFate:
    """What became of a tick, or of several in a row of which the same became."""

    outcome: Outcome
    count: int
    first: datetime
    last: datetime
    run_id: RunId | None = None  #: of the last of them
    end_reason: EndReason | None = None
    behind: tuple[RunId, ...] = ()  #: the runs that the last of them met, or met last
    message: str


def fates(
    ticks: Sequence[Run],
    others: Sequence[Run],
    unrecorded: Sequence[datetime],
    shared: Mapping[RunId, WaitingFor] = _NONE,
) -> list[TickFate]:
    """What became of each tick, in their order; what became of several in a row is told once.

    `ticks` are the runs of ticks and gaps, `others` the task's runs that may have been in their way, `shared`
    says which slots those have waited for that others than their own task's runs had.
    """
    found = [_fate(run, others, shared.get(run.id)) for run in ticks]
    found += [
        TickFate(
            outcome=Outcome.UNRECORDED,
            count=1,
            first=at,
            last=at,
            message="no run tells of it: it was deleted, or could not be written",
        )
        for at in unrecorded
    ]
    found.sort(key=lambda fate: (fate.last, fate.outcome is not Outcome.MISSED))
    told: list[TickFate] = []
    for fate in found:
        if told and _alike(told[-1], fate):
            told[-1] = replace(fate, count=told[-1].count + fate.count, first=told[-1].first)
        else:
            told.append(fate)
    return told


def unrecorded_ticks(
    ticks: Sequence[Run], schedules: Sequence[Schedule], *, since: datetime, until: datetime
) -> list[datetime]:
    """The ticks after the oldest of these runs, up to a moment, of which none of them tells."""
    if not ticks:
        return []
    oldest = min(run.scheduled_at for run in ticks if run.scheduled_at is not None)
    claimed = {run.scheduled_at for run in ticks}
    gaps = [(run.missed_since, run.scheduled_at) for run in ticks if run.missed_since is not None]
    found = []
    for tick in islice(upcoming(schedules, max(oldest, since)), _MOST_EXPECTED):
        if tick > until:
            break
        if tick not in claimed and not any(
            last is not None and first <= tick <= last for first, last in gaps
        ):
            found.append(tick)
    return found


def no_ticks(task: Task) -> str:
    """Why a task is not due any more."""
    if not task.cron:
        return f"it has no cron: it starts only {_otherwise(task)}"
    if not task.enabled:
        return "it is not enabled: its schedule is off"
    if task.not_after is not None:
        return f"no tick of it is left until its not_after, which is {task.not_after.isoformat()}"
    return "its calendars leave none of its ticks"


def _otherwise(task: Task) -> str:
    """When a task starts that has no ticks."""
    ways = ["when it is asked to"] if task.manual_trigger else []
    if task.enabled:
        if task.after:
            ways.append(
                f"when {' and '.join(task.after)} {'has' if len(task.after) == 1 else 'have'} ended well"
            )
        if task.after_failure:
            ways.append(f"when {' or '.join(task.after_failure)} has failed for good")
        if task.run_on_start:
            ways.append("when Rota does")
    return ", or ".join(ways) or "when that is changed"


def wanted_at(run: Run) -> datetime:
    """When it wanted to start."""
    return max(run.created_at, run.due or run.created_at)


def waited_for_others(run: Run, others: Sequence[Run]) -> bool:
    """Whether it started late, and no run of its own task was in its way."""
    if run.start_at is None or run.start_at - wanted_at(run) <= HARDLY_WAITED:
        return False
    return not _met(run, others)


def _fate(run: Run, others: Sequence[Run], shared: WaitingFor | None) -> TickFate:
    tick = run.scheduled_at if run.scheduled_at is not None else run.created_at
    outcome = _outcome(run)
    attempts = [other for other in others if other.retry_of_run_id == run.id]
    last = max(attempts, key=lambda each: each.retry_attempt, default=None)
    waiting_for = run.waiting_for or shared
    behind = _met(run, others) if outcome in _MEETING else ()
    if waiting_for is not None and waiting_for.run_ids:
        behind = waiting_for.run_ids
    return TickFate(
        outcome=outcome,
        count=run.missed_ticks or 1,
        first=run.missed_since or tick,
        last=tick,
        run_id=run.id,
        end_reason=run.end_reason,
        behind=behind,
        message=_message(run, outcome, waiting_for, waited=bool(behind)) + _retried(last),
    )


_ENDS = {
    EndReason.SKIPPED: Outcome.SKIPPED,
    EndReason.QUEUE_FULL: Outcome.QUEUE_FULL,
    EndReason.MISSED: Outcome.MISSED,
    EndReason.START_FAILED: Outcome.START_FAILED,
}
_MEETING = frozenset({Outcome.RAN, Outcome.RUNNING, Outcome.WAITING, Outcome.SKIPPED, Outcome.QUEUE_FULL})


def _outcome(run: Run) -> Outcome:
    if run.status is Status.RUNNING:
        return Outcome.RUNNING
    if run.end_reason is not None:
        if run.end_reason is EndReason.STOPPED and run.start_at is None:
            return Outcome.CANCELLED
        return _ENDS.get(run.end_reason, Outcome.RAN)
    early = run.waiting_for is not None and run.waiting_for.kind is WaitKind.TIME
    return Outcome.NOT_DUE if early else Outcome.WAITING


def _met(run: Run, others: Sequence[Run]) -> tuple[RunId, ...]:
    """The runs of the task that lived when this one wanted to start; none if it started all the same."""
    wanted = wanted_at(run)
    if run.start_at is not None and run.start_at - wanted <= HARDLY_WAITED:
        return ()
    met = {
        other.id: None
        for other in others
        if other.id != run.id
        and other.start_at is not None
        and other.created_at <= wanted
        and other.start_at <= wanted + HARDLY_WAITED  # it had its slot, and was just being started
        and (other.end_at is None or other.end_at > wanted)
    }
    return tuple(met)


def _message(run: Run, outcome: Outcome, waiting_for: WaitingFor | None, *, waited: bool) -> str:
    made_good = ", to make good a gap" if run.triggered_by is TriggeredBy.CATCH_UP else ""
    after = " after another run of the task" if waited else ""
    if waiting_for is not None:
        after = f" after others, which had the slots of {whose_slots(waiting_for)}"
    match outcome:
        case Outcome.RAN:
            return f"ran{after}{made_good}, and ended as {run.end_reason}"
        case Outcome.RUNNING:
            return f"runs{after}{made_good}"
        case Outcome.WAITING:
            return f"{_waits(waiting_for)}{made_good}"
        case Outcome.NOT_DUE:
            return "is not due yet: jitter puts it off"
        case Outcome.CANCELLED:
            return run.message or "was cancelled"
    return run.message or outcome.value.replace("_", " ")


def _waits(waiting_for: WaitingFor | None) -> str:
    if waiting_for is None:
        return "is about to start"
    match waiting_for.kind:
        case WaitKind.PAUSE:
            return "waits for the end of a pause"
        case WaitKind.KEEPER:
            return "waits until Rota can start programs again"
        case WaitKind.TASK:
            return "waits for its turn behind another run of the task"
    return f"waits for its turn behind others, which have the slots of {whose_slots(waiting_for)}"


def _retried(last: Run | None) -> str:
    """How it went on after a failure."""
    if last is None:
        return ""
    stands = f"ended as {last.end_reason}" if last.end_reason is not None else f"is {last.status}"
    return f"; its attempt {last.retry_attempt + 1} {stands}"


def _alike(before: TickFate, fate: TickFate) -> bool:
    return before.outcome is fate.outcome and before.message == fate.message
