"""What the command line's exit codes mean."""

from __future__ import annotations

from enum import IntEnum


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
