"""A run: one execution of a task, a service instance or a job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NewType, Self

from rota.model.error import IllegalMove
from rota.model.job import JOBS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from rota.model.job import Job
    from rota.model.limit import Limit

RunId = NewType("RunId", str)
"""A UUIDv7 as 36 lower-case characters; its order is the order of creation."""


class Kind(StrEnum):
    """What a run is an execution of."""

    TASK = "task"  #: a definition that runs to its end
    SERVICE = "service"  #: one life of one instance of a service
    JOB = "job"  #: an ad-hoc command that stands in no file


class Status(StrEnum):
    """Where a run is in its life. How it went is `EndReason`."""

    PENDING = "pending"  #: written down, waits for a slot; no process is known to live
    RUNNING = "running"  #: its process lives
    ENDED = "ended"  #: nothing of it lives; `end_reason` says how it went


class EndReason(StrEnum):
    """How a run went, once it has ended."""

    SUCCESS = "success"  #: an exit code that the task calls good
    FAILED = "failed"  #: any other exit, or a signal from outside
    TIMEOUT = "timeout"  #: it ran longer than its `timeout`
    STOPPED = "stopped"  #: somebody asked; also a cancelled pending run
    SKIPPED = "skipped"  #: its overlap rule let it go by
    QUEUE_FULL = "queue_full"  #: `max_queued` runs were waiting already
    MISSED = "missed"  #: its tick passed while nothing could run it
    START_FAILED = "start_failed"  #: nothing was spawned: no such user, folder, program
    LOG_OVERFLOW = "log_overflow"  #: killed by the cap on its log
    OUT_OF_MEMORY = "out_of_memory"  #: killed by the kernel for want of memory: its own limit's, or any
    LOST = "lost"  #: nothing that lives can say how it ended


#: The ends that are failures, unless the task says otherwise.
FAILURES = frozenset({
    EndReason.FAILED,
    EndReason.TIMEOUT,
    EndReason.START_FAILED,
    EndReason.LOG_OVERFLOW,
    EndReason.OUT_OF_MEMORY,
    EndReason.LOST,
    EndReason.MISSED,
})  # fmt: skip


class TriggeredBy(StrEnum):
    """Who or what started a run."""

    CRON = "cron"  #: a tick of its schedule
    API = "api"  #: a REST call
    UI = "ui"  #: the web page
    CLI = "cli"  #: the command line
    TUI = "tui"  #: the terminal page
    MCP = "mcp"  #: an agent
    WEBHOOK = "webhook"  #: a call from another system
    STARTUP = "startup"  #: Rota's own start
    CATCH_UP = "catch_up"  #: a gap that is made good
    RETRY = "retry"  #: the failure of an earlier attempt
    UPSTREAM = "upstream"  #: the end of a task that it comes after
    SERVICE = "service"  #: a service that is kept alive
    SUBSCRIPTION = "subscription"  #: a sync that brought it in


class ActorKind(StrEnum):
    """What the one who asked for a run is."""

    USER = "user"  #: a user of this machine, by login name
    MCP = "mcp"  #: an MCP client, by the name that it gives itself


class WaitKind(StrEnum):
    """What a pending run waits for."""

    TIME = "time"  #: its `scheduled_at`
    TASK = "task"  #: a slot of its task
    GROUP = "group"  #: a slot of its task's group
    SERVER = "server"  #: a slot of those that all tasks share
    JOBS = "jobs"  #: a slot of those that all jobs share
    PAUSE = "pause"  #: the end of a pause of its task, of that one's group, or of everything
    KEEPER = "keeper"  #: nothing of its own: it starts as soon as the keeper or the database can again


class Cause(StrEnum):
    """Why the keeper ended a run by itself or by request. An exit of the program's own has none."""

    TIMEOUT = "timeout"  #: the deadline passed
    STOPPED = "stopped"  #: a stop was asked for, or the keeper was shut down
    START_FAILED = "start_failed"  #: nothing was spawned
    LOG_OVERFLOW = "log_overflow"  #: it wrote more than its log may hold
    OUT_OF_MEMORY = "out_of_memory"  #: the kernel killed it
    LOST = "lost"  #: the keeper died, or the machine


#: Every move that a run may make. The only copy.
MOVES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.ENDED}),
    Status.RUNNING: frozenset({Status.ENDED}),
    Status.ENDED: frozenset(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOver:
    """To whom a run was given before its spawn, so that no second start can follow."""

    attempt: str  #: a random token; only its holder may move the run
    keeper_id: str  #: the keeper's own id, new at each start of a keeper
    boot_id: str  #: the kernel's boot id at that time


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """What the keeper knows of a run's end."""

    cause: Cause | None = None
    exit_code: int | None = None  #: null after a death by signal
    signal: str | None = None  #: such as `SIGKILL`
    end_at: datetime
    duration: timedelta | None = None  #: monotonic, of the main process
    cpu_time: timedelta | None = None  #: user and system, with the children it waited for
    max_rss: int | None = None  #: bytes; null where the kernel cannot tell it truly
    message: str | None = None  #: why nothing was spawned
    log_size: int | None = None  #: bytes that its log takes on the disk


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who asked for a run."""

    kind: ActorKind
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingFor:
    """What keeps a pending run from its start."""

    kind: WaitKind
    name: str | None = None  #: whose slots they are, when it waits for one, or what is paused
    run_ids: tuple[RunId, ...] = ()  #: who has them, the oldest first, of very many the oldest


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution, from its trigger to its end. What is not known is None."""

    id: RunId
    kind: Kind = Kind.TASK
    task_name: str | None = None  #: None for a job
    job: Job | None = None  #: what it runs, when no task says so
    status: Status = Status.PENDING
    end_reason: EndReason | None = None
    is_failure: bool | None = None  #: whether its task counted this end as one when it came; None until then
    exit_code: int | None = None
    signal: str | None = None
    triggered_by: TriggeredBy
    params: Mapping[str, str | None] = field(default_factory=dict)
    created_at: datetime
    actor: Actor | None = None  #: who asked for it; None when nobody did, or nobody knows
    scheduled_at: datetime | None = None  #: the tick, or for when it was asked for; else None
    due_at: datetime | None = None  #: when it may start, if that is another moment than `scheduled_at`
    missed_ticks: int | None = None  #: of the run that tells of a gap: so many ticks went by, or more
    missed_since: datetime | None = None  #: of the same: the first of them; `scheduled_at` is the last
    despite_pause: str | None = None  #: of one that was asked for while its task was paused: how it was
    start_at: datetime | None = None
    end_at: datetime | None = None
    duration: timedelta | None = None
    retry_attempt: int = 0
    rerun_of_run_id: RunId | None = None  #: which somebody wanted to have again
    retry_of_run_id: RunId | None = None  #: the first attempt; None for that one itself
    next_attempt_run_id: RunId | None = None  #: the one after this, which has failed
    upstream_run_id: RunId | None = None  #: of the task that its own comes after: whose end began it
    instance_index: int | None = None
    pid: int | None = None
    cpu_time: timedelta | None = None
    max_rss: int | None = None
    limits: Mapping[str, Limit] | None = None  #: those that it has, by name, once it has started
    message: str | None = None  #: one sentence of Rota's own on why it ended so
    node: str = "local"
    hand_over: HandOver | None = None  #: None until it was given to a keeper
    revision: int | None = None  #: which of its task's definitions it was started under
    sealed: str | None = None  #: the secrets that it was given, encrypted, until it ends
    waiting_for: WaitingFor | None = None  #: filled in where a pending run is shown; not stored
    deleted_at: datetime | None = None  #: filled in where a deleted run is shown; it is none of `runs`

    @property
    def defined_by(self) -> str:
        """Under which name its rules stand: its task's, or that of all jobs."""
        return self.task_name if self.task_name is not None else JOBS

    @property
    def label(self) -> str:
        """What to call it in a sentence: its task, the name of its job, or that it is one."""
        return self.task_name or (self.job.name if self.job is not None else None) or "job"

    @property
    def first_run_id(self) -> RunId:
        """The first of its attempts, by which all of them are known."""
        return self.id if self.retry_of_run_id is None else self.retry_of_run_id

    @property
    def meant_for(self) -> datetime | None:
        """The moment that it stands for, as its first attempt did; None for one that was to start at once."""
        only_put_off = self.retry_attempt > 0 and self.due_at is None
        return None if only_put_off else self.scheduled_at

    @property
    def due(self) -> datetime | None:
        """When it may start at the earliest; None: at once."""
        return self.due_at if self.due_at is not None else self.scheduled_at

    def handed_over(self, to: HandOver, *, revision: int | None = None) -> Self:
        """The same pending run, given to a keeper; its process may live from now on."""
        if self.status is not Status.PENDING:
            raise IllegalMove(f"run {self.id} is {self.status} and cannot be handed over")
        return replace(self, hand_over=to, revision=revision)

    def taken_back(self) -> Self:
        """The same pending run, which the keeper could not start now; it may be handed over again."""
        if self.status is not Status.PENDING:
            raise IllegalMove(f"run {self.id} is {self.status} and cannot be taken back")
        return replace(self, hand_over=None, revision=None)

    def started(self, *, at: datetime, pid: int, limits: Mapping[str, Limit] | None = None) -> Self:
        """Its process lives."""
        return self._moved(Status.RUNNING, start_at=at, pid=pid, limits=limits)

    def followed_by(self, retry: Run) -> Self:
        """The same ended run, of which this is the next attempt."""
        if self.status is not Status.ENDED:
            raise IllegalMove(f"run {self.id} is {self.status} and cannot be retried")
        return replace(self, next_attempt_run_id=retry.id)

    def ended(
        self, reason: EndReason, ending: Ending, *, failures: AbstractSet[EndReason] = FAILURES
    ) -> Self:
        """Nothing of it lives, and nothing secret is kept for it."""
        return self._moved(
            Status.ENDED,
            sealed=None,
            end_reason=reason,
            is_failure=reason in failures,
            exit_code=ending.exit_code,
            signal=ending.signal,
            end_at=ending.end_at,
            duration=ending.duration,
            cpu_time=ending.cpu_time,
            max_rss=ending.max_rss,
            message=ending.message,
        )

    def _moved(self, to: Status, **changes: Any) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalMove(f"run {self.id} is {self.status} and cannot become {to}")
        return replace(self, status=to, **changes)


def end_reason(ending: Ending, good: frozenset[int]) -> EndReason:
    """How a run went, from what the keeper saw and the exit codes that the task calls good."""
    if ending.cause is not None:
        return EndReason(ending.cause.value)
    if ending.exit_code is not None and ending.exit_code in good:
        return EndReason.SUCCESS
    return EndReason.FAILED
