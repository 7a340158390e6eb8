"""How a run went: as a sentence, and as an exit code."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from rota.cli import times
from rota.cli.exit_code import ExitCode
from rota.cli.label import label
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
    EndReason.OUT_OF_MEMORY: "ran out of memory",
    EndReason.LOST: "was lost",
}


def verdict(run: Mapping[str, Any], *, why: bool = True) -> str:
    """One ended run: its task or job, how it ended, the reason if there is one, and its id."""
    after = f" after {times.rough(run['duration'])}" if run["duration"] is not None else ""
    reason = f": {run['message']}" if why and run["message"] else ""
    return f"{label(run)} {_words(run)}{after}{reason} (run {run['id']})"


def exit_code(run: Mapping[str, Any]) -> int:
    """The exit code of `rota run` for an ended run."""
    reason = EndReason(run["end_reason"])
    if reason is EndReason.TIMEOUT:
        return ExitCode.TIMEOUT
    if reason is EndReason.STOPPED:
        return ExitCode.STOPPED
    if reason not in (EndReason.SUCCESS, EndReason.FAILED):
        return ExitCode.ROTA
    if run["exit_code"] is not None:
        return int(run["exit_code"])
    number = _signal_number(run["signal"] or "")
    return ExitCode.SIGNAL + number if number else ExitCode.ROTA


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


def _signal_number(name: str) -> int | None:
    """Of a signal's name, such as `SIGKILL` or `SIGRTMIN+3`; None when it is none of this machine's."""
    base, _, offset = name.partition("+")
    number: int | None = getattr(signal, base, None) if base.startswith("SIG") else None
    return number + int(offset or 0) if number is not None else None
