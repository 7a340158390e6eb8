"""A run, and what it says of who asked for it, what it waits for and what limits it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.api.wire import moment, seconds
from rota.model.limit import HeldBy
from rota.model.run import ActorKind, EndReason, Kind, Status, TriggeredBy, WaitKind
from rota.model.task import Stdin

if TYPE_CHECKING:
    from rota.model import limit
    from rota.model import run as model
    from rota.model.job import Job


class Actor(Inner):
    """Who asked for a run."""

    kind: ActorKind
    name: str = Field(description="A user's login name, or what an MCP client calls itself.")

    @staticmethod
    def as_json(it: model.Actor) -> dict[str, Any]:
        return {"kind": it.kind.value, "name": it.name}


class WaitingFor(Inner):
    """What keeps a pending run from its start."""

    kind: WaitKind = Field(
        description="`time`: its `scheduled_at`; `task`, `group`, `server`, `jobs`: one of the slots that "
        "`run_ids` have; `pause`: the end of a pause; `keeper`: the keeper, or the database."
    )
    name: str | None = Field(
        description="Whose slots they are, or what is paused, where a name says it: a task or a group."
    )
    run_ids: list[RunIdText] = Field(description="Who has them; of more than 100 the oldest.")

    @staticmethod
    def as_json(it: model.WaitingFor) -> dict[str, Any]:
        return {"kind": it.kind.value, "name": it.name, "run_ids": list(it.run_ids)}


class Limit(Inner):
    """How much of the machine a run may use."""

    max: float = Field(description="Bytes, processors, or processes and threads.")
    held_by: HeldBy = Field(
        description="`cgroup`: its control group, for all its processes together. `rlimit`: the kernel, for "
        "each process by itself. `nothing`: this machine cannot hold it."
    )

    @staticmethod
    def as_json(it: limit.Limit) -> dict[str, Any]:
        return {"max": it.max, "held_by": it.held_by.value}


class Run(Shape):
    """One execution of a task or a job, from its trigger to its end. What is not known is null."""

    id: RunIdText
    kind: Kind
    task_name: str | None = Field(description="Null for a job.")
    name: str | None = Field(description="Of a job, if it was given one.")
    command: str | list[str] | None = Field(
        description="Of a job: text for the shell, or a program and its arguments. Null for a task's run."
    )
    cwd: str | None = Field(description="Of a job: the folder that it runs in.")
    env: list[str] = Field(description="Of a job: the names of its variables; the values are kept nowhere.")
    tags: list[str] = Field(description="Of a job.")
    timeout: float | None = Field(description="Of a job, in seconds; null is no limit.")
    stdin: Stdin | None = Field(description="Of a job; null for a task's run.")
    pty: bool | None = Field(description="Of a job: whether it has a terminal; null for a task's run.")
    status: Status
    end_reason: EndReason | None = Field(description="How it went; null until it has ended.")
    is_failure: bool | None = Field(
        description="Whether its task counts this end as a failure (`failures`); null until it has ended."
    )
    exit_code: int | None = Field(description="Null until there is one, and after a death by signal.")
    signal: str | None = Field(description="The signal that ended it, such as `SIGKILL`.")
    triggered_by: TriggeredBy
    actor: Actor | None = Field(description="Who asked for it; null when nobody did, or nobody knows.")
    waiting_for: WaitingFor | None = Field(description="What keeps it pending.")
    despite_pause: str | None = Field(
        description="Of one that was asked for in a pause, and did not keep to it: how the pause was."
    )
    params: dict[str, str | None] = Field(
        description="What it was given, defaults included; null was left out on purpose. "
        "Of a secret it says only that there is one."
    )
    created_at: datetime
    scheduled_at: datetime | None = Field(description="The tick, or for when it was asked for; else null.")
    due_at: datetime | None = Field(description="When it may start: `scheduled_at`, and what jitter adds.")
    missed_ticks: int | None = Field(description="Of the run that tells of a gap: how many went by, or more.")
    missed_since: datetime | None = Field(description="Of it: the first of them; `scheduled_at` is the last.")
    start_at: datetime | None
    end_at: datetime | None
    duration: float | None = Field(description="Seconds by a clock that never jumps, start to end.")
    retry_attempt: int = Field(ge=0, description="0 for the first attempt.")
    rerun_of_run_id: RunIdText | None = Field(description="The run that somebody wanted to have again.")
    retry_of_run_id: RunIdText | None = Field(description="The first attempt; null for that one itself.")
    next_attempt_run_id: RunIdText | None = Field(description="The attempt that follows this failed one.")
    upstream_run_id: RunIdText | None = Field(
        description="Whose end began it, of a task that its own is after."
    )
    instance_index: int | None
    pid: int | None
    cpu_time: float | None = Field(description="Seconds of processor time, its children's included.")
    max_rss: int | None = Field(description="Peak memory in bytes; null where it cannot be told truly.")
    limits: dict[str, Limit] | None = Field(
        description="Those of `memory_max`, `cpu_max` and `tasks_max` that it has; null for a run "
        "without any, and for one that has not started."
    )
    message: str | None = Field(description="One sentence on why it ended so, where there is one.")
    deleted_at: datetime | None = Field(description="Of a deleted run, which can be restored: since when.")
    revision: int | None = Field(description="Which of its task's definitions it was started under.")

    @staticmethod
    def as_json(it: model.Run) -> dict[str, Any]:
        return {
            "id": it.id,
            "kind": it.kind.value,
            "task_name": it.task_name,
            **(_NO_JOB if it.job is None else _of_job(it.job)),
            "status": it.status.value,
            "end_reason": None if it.end_reason is None else it.end_reason.value,
            "is_failure": it.is_failure,
            "exit_code": it.exit_code,
            "signal": it.signal,
            "triggered_by": it.triggered_by.value,
            "actor": None if it.actor is None else Actor.as_json(it.actor),
            "waiting_for": None if it.waiting_for is None else WaitingFor.as_json(it.waiting_for),
            "despite_pause": it.despite_pause,
            "params": dict(it.params),
            "created_at": moment(it.created_at),
            "scheduled_at": moment(it.scheduled_at),
            "due_at": moment(it.due),
            "missed_ticks": it.missed_ticks,
            "missed_since": moment(it.missed_since),
            "start_at": moment(it.start_at),
            "end_at": moment(it.end_at),
            "duration": seconds(it.duration),
            "retry_attempt": it.retry_attempt,
            "retry_of_run_id": it.retry_of_run_id,
            "rerun_of_run_id": it.rerun_of_run_id,
            "next_attempt_run_id": it.next_attempt_run_id,
            "upstream_run_id": it.upstream_run_id,
            "instance_index": it.instance_index,
            "pid": it.pid,
            "cpu_time": seconds(it.cpu_time),
            "max_rss": it.max_rss,
            "limits": None
            if it.limits is None
            else {name: Limit.as_json(each) for name, each in it.limits.items()},
            "message": it.message,
            "deleted_at": moment(it.deleted_at),
            "revision": it.revision,
        }


_NO_JOB: dict[str, Any] = {
    "name": None, "command": None, "cwd": None, "env": [], "tags": [], "timeout": None, "stdin": None,
    "pty": None,
}  # fmt: skip


def _of_job(it: Job) -> dict[str, Any]:
    return {
        "name": it.name,
        "command": it.command if isinstance(it.command, str) else list(it.command),
        "cwd": it.cwd,
        "env": list(it.env),
        "tags": list(it.tags),
        "timeout": seconds(it.timeout),
        "stdin": it.stdin.value,
        "pty": it.pty,
    }


class RunPage(Shape):
    """Runs, newest first."""

    items: list[Run]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")
