"""What the command line's exit codes mean, and the one that a run's end has."""

from __future__ import annotations

import signal
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from rota.model.run import EndReason

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExitCode(IntEnum):
    """Every code of Rota's own. `rota run` ends with the task's code where there is one."""

    OK = 0  #: done as asked; `rota status`: healthy
    FAILED = 1  #: it could not be done; the reason is on standard error; `rota status`: unhealthy
    USAGE = 2  #: the command line itself is wrong
    NOT_RUNNING = 3  #: `rota status`: no server runs
    TIMEOUT = 124  #: `rota run`: the run took longer than its `timeout`
    ROTA = 125  #: `rota run`: nothing ran to its end (no server, no such task, skipped, start failed, lost)
    SIGNAL = 128  #: `rota run`: added to the number of the signal that the task died of
    INTERRUPTED = 130  #: Ctrl-C ended this command; a run goes on
    BROKEN_PIPE = 141  #: the reader of our output went away
    STOPPED = 143  #: `rota run`: somebody stopped the run


def of_run(run: Mapping[str, Any]) -> int:
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
    number = _number(run["signal"] or "")
    return ExitCode.SIGNAL + number if number else ExitCode.ROTA


def _number(name: str) -> int | None:
    """Of a signal's name, such as `SIGKILL` or `SIGRTMIN+3`; None when it is none of this machine's."""
    base, _, offset = name.partition("+")
    number: int | None = getattr(signal, base, None) if base.startswith("SIG") else None
    return number + int(offset or 0) if number is not None else None
