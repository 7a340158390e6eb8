"""How a run went, as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.cli import times
from rota.model.run import EndReason

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {
    EndReason.SUCCESS: "succeeded",
    EndReason.TIMEOUT: "timed out",
    EndReason.STOPPED: "was stopped",
    EndReason.SKIPPED: "was skipped",
    EndReason.QUEUE_FULL: "found its queue full",
    EndReason.MISSED: "missed its tick",
    EndReason.START_FAILED: "could not be started",
    EndReason.LOG_OVERFLOW: "wrote more than its log may hold",
    EndReason.LOST: "was lost",
}


def verdict(run: Mapping[str, Any]) -> str:
    """One ended run: its task, how it ended, why if it is known, and its id."""
    after = f" after {times.rough(run['duration'])}" if run["duration"] is not None else ""
    why = f": {run['message']}" if run["message"] else ""
    return f"{run['task_name']} {_words(run)}{after}{why} (run {run['id']})"


def _words(run: Mapping[str, Any]) -> str:
    reason = EndReason(run["end_reason"])
    if reason is EndReason.FAILED:
        code = run["exit_code"]
        return (
            f"failed with exit code {code}" if code is not None else f"died of {run['signal'] or 'a signal'}"
        )
    if reason is EndReason.STOPPED and run["start_at"] is None:
        return "was cancelled while it waited"
    return _WORDS[reason]
