"""Words that agents read: a run's status as a word and a sentence, times with their zone and distance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rota.model.run import EndReason, Status, WaitKind

if TYPE_CHECKING:
    from rota.model.run import Run, WaitingFor
    from rota.operations.list_tasks import TaskNow


class Word(StrEnum):
    """A run's status, as agents have known it of their jobs."""

    PENDING = "pending"  #: it waits for its turn
    RUNNING = "running"  #: its process lives
    COMPLETED = "completed"  #: it ended well
    FAILED = "failed"  #: it ended otherwise; `end_reason` says how
    KILLED = "killed"  #: somebody asked for its end


class TaskWord(StrEnum):
    """How a task stands."""

    IDLE = "idle"  #: nothing of it runs or waits
    RUNNING = "running"  #: a run of it lives
    QUEUED = "queued"  #: a run of it waits for its turn
    PAUSED = "paused"  #: nothing of it starts by itself until it is resumed, and nothing of it runs
    DISABLED = "disabled"  #: its schedule is switched off, and nothing of it runs


_LIVING = {Status.PENDING: Word.PENDING, Status.RUNNING: Word.RUNNING}
_ENDED = {EndReason.SUCCESS: Word.COMPLETED, EndReason.STOPPED: Word.KILLED}

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def word_of(run: Run) -> Word:
    """A run's status in one word."""
    if run.end_reason is None:
        return _LIVING[run.status]
    return _ENDED.get(run.end_reason, Word.FAILED)


def task_word_of(now: TaskNow) -> TaskWord:
    """How a task stands in one word."""
    if now.running:
        return TaskWord.RUNNING
    if now.pauses:
        return TaskWord.PAUSED
    if now.pending:
        return TaskWord.QUEUED
    return TaskWord.IDLE if now.task.enabled else TaskWord.DISABLED


def name_of(run: Run) -> str:
    """What a run is of: `task backup`, `job build`, `job`."""
    return str(run.kind) if run.label == run.kind else f"{run.kind} {run.label}"


def told(run: Run) -> str:
    """How a run stands, as the rest of a sentence: `failed with exit code 2 after 3.1 s`."""
    if run.status is not Status.ENDED:
        return "is running" if run.status is Status.RUNNING else _waits(run.waiting_for)
    after = "" if run.duration is None else f" after {length(run.duration)}"
    why = "" if run.message is None else f": {run.message}"
    if run.retry_attempt:
        why = f" (attempt {run.retry_attempt + 1}){why}"
    if run.next_attempt_run_id is not None:
        why += f", and is tried again as run {run.next_attempt_run_id}"
    match run.end_reason:
        case EndReason.SUCCESS:
            return f"completed{'' if run.exit_code is None else f' (exit code {run.exit_code})'}{after}"
        case EndReason.FAILED:
            how = f"exit code {run.exit_code}" if run.exit_code is not None else run.signal or "no exit code"
            return f"failed with {how}{after}{why}"
        case EndReason.STOPPED:
            return f"was killed{after}{why}"
    return f"ended as {run.end_reason}{after}{why}"


def _waits(waiting_for: WaitingFor | None) -> str:
    if waiting_for is None:
        return "is about to start"
    match waiting_for.kind:
        case WaitKind.TIME:
            return "waits for its time"
        case WaitKind.KEEPER:
            return "waits until Rota can start programs again"
    if waiting_for.kind is WaitKind.PAUSE:
        what = "everything" if waiting_for.name is None else waiting_for.name
        return f"waits for the end of the pause of {what}"
    held = f", which {', '.join(waiting_for.run_ids)} have" if waiting_for.run_ids else ""
    whose = {WaitKind.SERVER: "the server", WaitKind.JOBS: "all jobs"}.get(
        waiting_for.kind, f"{waiting_for.kind} {waiting_for.name}"
    )
    return f"waits for one of the slots of {whose}{held}"


def moment(at: datetime | None, zone: str) -> str | None:
    """`2026-11-22T21:36:03+01:00`."""
    return None if at is None else at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def distance(at: datetime, now: datetime) -> str:
    """`in 3 h`, `5 min ago`, `now`."""
    seconds = (at - now).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "now"
    said = next((f"{size / unit:.0f} {name}" for unit, name in _UNITS if size >= unit), f"{size:.0f} s")
    return f"in {said}" if seconds > 0 else f"{said} ago"


def length(duration: timedelta) -> str:
    """`0.4 s`, `12 s`, `5 min 3 s`, `2 h 10 min`."""
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def utc_now() -> datetime:
    """The time by which distances are told."""
    return datetime.now(UTC)
