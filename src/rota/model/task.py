"""A task: a definition that runs to its end, by schedule or on demand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from rota.model.limit import LIMITS
from rota.model.retry import ONCE, Retry
from rota.model.run import FAILURES, EndReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.model.param import Param
    from rota.model.secret import Secret

NAME = re.compile(r"^[a-zA-Z0-9._:-]{1,100}$")
"""What a task may be called."""


class Overlap(StrEnum):
    """What happens to a tick or trigger while the task runs `max_concurrent` times already."""

    QUEUE = "queue"  #: it waits for its turn
    SKIP = "skip"  #: it is let go by, and a run says so
    REPLACE = "replace"  #: the oldest run is stopped, and this one starts after its end


class EnvBase(StrEnum):
    """What the environment of a run begins with."""

    INHERIT = "inherit"  #: the server's own, but for Rota's settings
    CLEAN = "clean"  #: what a login finds, and nothing else


class LogOnFull(StrEnum):
    """What becomes of a run's output once its log has reached `log_max_size`."""

    DROP_OLD = "drop_old"  #: the newest is kept, and the beginning of the log goes
    DROP_NEW = "drop_new"  #: the oldest is kept, and what follows is not written
    KILL = "kill"  #: the run is stopped, and ends as `log_overflow`


class Stdin(StrEnum):
    """What a program reads when it reads its standard input."""

    NONE = "none"  #: `/dev/null`: the end, at once
    PIPE = "pipe"  #: what is sent to the run while it lives; it waits for that


ROWS, COLS = 24, 80
"""How large a terminal is that nobody has told its size."""

LOG_MAX_SIZE = 100_000_000
"""Bytes; as much as a log may be, unless it is told otherwise."""

#: Signals that a task may be stopped with, SIGKILL included for those that know no other.
STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What to run, when, and under which rules."""

    name: str
    run: str | tuple[str, ...]  #: text for the shell, or a program and its arguments
    cron: tuple[str, ...] = ()  #: every one of them makes ticks
    timezone: str | None = None  #: IANA name; None is the server's
    except_: tuple[str, ...] = ()  #: calendars on whose days it is not due
    only: tuple[str, ...] = ()  #: calendars of which a day has to be in one
    not_before: date | None = None  #: it is due from this day or moment on; without a zone, in the task's
    not_after: date | None = None  #: and to this one, a day to its end
    catch_up: int = 1  #: how many of the ticks that a gap has missed are run after it, the newest
    start_deadline: timedelta | None = None  #: after its tick; what has not started by then is missed
    jitter: timedelta = timedelta()  #: by so much at most a run is due later than its tick
    after: tuple[str, ...] = ()  #: tasks; it runs when all have ended well since it last did for that reason
    after_failure: tuple[str, ...] = ()  #: tasks; it runs when one has failed for good
    run_on_start: bool = False  #: it runs once at each start of the keeper
    description: str | None = None
    group: str | None = None  #: a label, and whose slots it shares where the file limits that group
    tags: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()  #: what a run of it may be given, in the order of its arguments
    env_base: EnvBase = EnvBase.INHERIT
    env_file: tuple[str, ...] = ()  #: absolute; `file_env` is what they hold
    env: Mapping[str, str] = field(default_factory=dict)
    secrets_file: tuple[str, ...] = ()  #: absolute; what they hold is among `secrets`
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    file_env: Mapping[str, Secret] = field(default_factory=dict)  #: not hidden, and not shown either
    working_dir: str | None = None  #: absolute; None is the folder of the configuration file
    shell: str = "/bin/sh"
    timeout: timedelta | None = None
    stop_signal: str = "SIGTERM"
    grace: timedelta = timedelta(seconds=5)  #: between the stop signal and SIGKILL
    exit_codes: frozenset[int] = frozenset({0})  #: those that are a success
    failures: frozenset[EndReason] = FAILURES  #: the ends that count as failures
    retry: Retry = ONCE  #: which failures get another attempt, and when
    keep_children: bool = False  #: leave alone what outlives the main process
    merge_stderr: bool = False  #: one pipe for both streams, in exact order
    stdin: bool = False  #: standard input stays open, for what is sent to the run; else it is `/dev/null`
    pty: bool = False  #: a terminal, which is standard input and output in one
    user: str | None = None  #: whose its runs are, `name` or `name:group`; None is Rota's own
    umask: int | None = None  #: None is Rota's
    nice: int | None = None  #: from -20, the most urgent, to 19; None is Rota's
    memory_max: int | None = None  #: bytes that a run may use; None is no limit, as of the next two
    cpu_max: float | None = None  #: processors that it may use, such as 0.5
    tasks_max: int | None = None  #: processes and threads that it may have at once
    enabled: bool = True  #: False stops the schedule only
    manual_trigger: bool = True
    max_concurrent: int = 1
    max_queued: int = 100
    priority: int = 0  #: the higher goes first to a slot that tasks share
    on_overlap: Overlap = Overlap.QUEUE
    log_max_size: int | None = LOG_MAX_SIZE  #: bytes, of each run's log with its index; None is no limit
    log_on_full: LogOnFull = LogOnFull.DROP_OLD
    keep_runs: int | None = None  #: so many of its newest ended runs; None keeps all
    keep_for: timedelta | None = None  #: since their end; None is for ever

    @property
    def limits(self) -> Mapping[str, float]:
        """Those that it has, by name."""
        return {name: value for name in LIMITS if (value := getattr(self, name)) is not None}

    @property
    def starts_by_itself(self) -> bool:
        """Whether it runs without anybody asking, and so without anybody giving it values."""
        return self.enabled and bool(self.cron or self.run_on_start or self.after or self.after_failure)
