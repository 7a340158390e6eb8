"""A service: a definition that is kept alive, in so many instances, each of whose lives is a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from rota.model.backoff import Backoff
from rota.model.task import STOP_SIGNALS

if TYPE_CHECKING:
    from rota.model.run import RunId
    from rota.model.task import Task

MOST_INSTANCES = 64
"""Of one service."""

LONGEST_DELAY = timedelta(seconds=60)
"""Between the end of a life and the beginning of the next, however often it failed before."""

HIGHEST_PORT = 65_535
"""That there is."""

MOST_LIVES = 1024
"""That may be open at once under one name: never reached, since an instance has one life at a time."""

KEEP_RUNS = 1000
"""So many of a service's ended lives are kept, unless it is told otherwise."""

#: Signals that the main process of an instance may be sent.
SIGNALS = (*STOP_SIGNALS, "SIGWINCH", "SIGALRM", "SIGSTOP", "SIGCONT")


class Restart(StrEnum):
    """Whether an instance gets another life after one that ended by itself."""

    ALWAYS = "always"  #: however it ended
    ON_FAILURE = "on_failure"  #: after an end that is among `failures`, unless somebody stopped it
    NEVER = "never"  #: it is started when somebody asks


class InstanceState(StrEnum):
    """How an instance of a service stands; not to be mixed up with the status of its run."""

    STOPPED = "stopped"  #: it does not live, and is not to; or it has done its work
    STARTING = "starting"  #: it begins, waits for what it depends on, or has not shown its health yet
    HEALTHY = "healthy"  #: it lives, and is well
    UNHEALTHY = "unhealthy"  #: it lives, and its check fails
    BACKING_OFF = "backing_off"  #: it ended, and is started again after a pause
    FAILED = "failed"  #: it ended too often before it was healthy, and is started no more
    STOPPING = "stopping"  #: it was asked to end


class Rest(StrEnum):
    """Why an instance that has no life gets none, although its service is wanted."""

    DONE = "done"  #: it ended, and `restart` wants no other life after such an end
    GAVE_UP = "gave_up"  #: `restart_attempts` were used up, or it failed and `restart` is never


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthCheck:
    """How it is found out whether an instance is well: by one of the first four."""

    command: str | tuple[str, ...] | None = None  #: it exits with 0
    http: str | None = None  #: a GET of this address is answered with 200 to 399
    tcp: str | None = None  #: somebody accepts a connection at this `host:port`
    notify: bool = False  #: it says so itself, as sd_notify(3) has it
    interval: timedelta = timedelta(seconds=10)  #: between two checks of an instance that was healthy
    timeout: timedelta = timedelta(seconds=5)  #: of one check
    retries: int = 3  #: so many checks in a row have to fail
    start_period: timedelta = timedelta()  #: added to the time in which it has to become healthy
    restart: bool = True  #: whether one that is not well is stopped and started again

    @property
    def patience(self) -> timedelta:
        """How long it may go on without a sign of health."""
        return self.interval * self.retries


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What to keep alive, how often, and under which rules."""

    life: Task  #: what one life of an instance runs, under the rules that a task has, too
    instances: int = 1
    restart: Restart = Restart.ALWAYS
    restart_delay: timedelta = timedelta(seconds=1)
    restart_backoff: Backoff = Backoff.EXPONENTIAL
    restart_attempts: int = 10  #: lives in a row that end before they are healthy; 0 never gives up
    healthy_after: timedelta = timedelta(seconds=1)  #: nothing is healthy that has not lived so long
    health: HealthCheck | None = None  #: None: what lives is healthy
    port: int | None = None  #: of instance 0; the others have those that follow
    autostart: bool = True
    depends_on: tuple[str, ...] = ()  #: services that have to be healthy before it begins
    reload_signal: str | None = None  #: what `signal` sends when nobody says which

    @property
    def name(self) -> str:
        """What it is called, as its life is."""
        return self.life.name

    def port_of(self, index: int) -> int | None:
        """The port of an instance."""
        return None if self.port is None else self.port + index


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is wanted of a service: kept over restarts of the server, until a boot or `rota shutdown`."""

    running: bool
    scale: int | None = None  #: so many instances; None: as many as the file says
    stale: frozenset[RunId] = frozenset()  #: lives that a restart has yet to replace
    rolling: bool = False  #: one of them at a time, and the next when all others are healthy
    declared: int = 1  #: the file's `instances` when this was written
    fingerprint: str = ""  #: of what its processes see, when this was written


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What is kept of an instance, beside its runs."""

    index: int
    run_id: RunId | None = None  #: of its latest life that is counted in what follows
    was_healthy: bool = False  #: that life, at any time
    ill_run_id: RunId | None = None  #: of the life that was asked to end for its health
    failures: int = 0  #: lives in a row that ended before they were healthy
    restarts: int = 0  #: lives that followed another one by themselves, since it was last asked for
    at_rest: Rest | None = None
