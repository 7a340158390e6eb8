"""A run as a row of `runs`, by position, in the order of the table's columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rota.model.job import Job
from rota.model.limit import HeldBy, Limit
from rota.model.run import (
    Actor,
    ActorKind,
    EndReason,
    HandOver,
    Kind,
    Run,
    RunId,
    Status,
    TriggeredBy,
)
from rota.model.task import Stdin
from rota.storage.microseconds import of_duration, of_time, to_duration, to_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Calling an enum's class costs ten times a look-up, and a list makes four thousand of them.
_KIND = {member.value: member for member in Kind}
_STATUS = {member.value: member for member in Status}
_END_REASON = {member.value: member for member in EndReason} | {None: None}
_TRIGGERED_BY = {member.value: member for member in TriggeredBy}
_STDIN = {member.value: member for member in Stdin}

_NO_JOB = (None,) * 7


def of_run(run: Run) -> tuple[object, ...]:
    """Every column of the run's row."""
    hand_over = run.hand_over
    return (
        run.id,
        run.kind.value,
        run.task_name,
        run.status.value,
        run.end_reason.value if run.end_reason is not None else None,
        run.exit_code,
        run.signal,
        run.triggered_by.value,
        json.dumps(dict(run.params)) if run.params else "{}",
        of_time(run.created_at),
        of_time(run.scheduled_at) if run.scheduled_at is not None else None,
        of_time(run.start_at) if run.start_at is not None else None,
        of_time(run.end_at) if run.end_at is not None else None,
        of_duration(run.duration) if run.duration is not None else None,
        run.retry_attempt,
        run.retry_of_run_id,
        run.instance_index,
        run.pid,
        of_duration(run.cpu_time) if run.cpu_time is not None else None,
        run.max_rss,
        storable(run.message),
        run.node,
        *((None, None, None) if hand_over is None else _hand_over(hand_over)),
        *(_NO_JOB if run.job is None else _of_job(run.job)),
        run.sealed,
        *((None, None) if run.actor is None else (run.actor.kind.value, run.actor.name)),
        of_time(run.due_at) if run.due_at is not None else None,
        run.missed_ticks,
        of_time(run.missed_since) if run.missed_since is not None else None,
        None if run.limits is None else _of_limits(run.limits),
        None if run.job is None or not run.job.env else json.dumps(run.job.env),
        run.rerun_of_run_id,
        storable(run.despite_pause),
        run.revision,
        int(run.is_failure) if run.is_failure is not None else None,
        run.next_attempt_run_id,
        run.upstream_run_id,
    )


def of_life(run: Run) -> tuple[object, ...]:
    """What changes while a run has not ended; the columns that only an end sets are left out."""
    hand_over = run.hand_over
    return (
        run.status.value,
        of_time(run.start_at) if run.start_at is not None else None,
        run.pid,
        storable(run.message),
        *((None, None, None) if hand_over is None else _hand_over(hand_over)),
        None if run.limits is None else _of_limits(run.limits),
        run.revision,
    )


def of_end(run: Run) -> tuple[object, ...]:
    """All that may have changed by the time that a run has ended; what was sealed for it goes anyway."""
    hand_over = run.hand_over
    return (
        run.status.value,
        run.end_reason.value if run.end_reason is not None else None,
        run.exit_code,
        run.signal,
        of_time(run.start_at) if run.start_at is not None else None,
        of_time(run.end_at) if run.end_at is not None else None,
        of_duration(run.duration) if run.duration is not None else None,
        run.pid,
        of_duration(run.cpu_time) if run.cpu_time is not None else None,
        run.max_rss,
        storable(run.message),
        *((None, None, None) if hand_over is None else _hand_over(hand_over)),
        None if run.limits is None else _of_limits(run.limits),
        run.revision,
        int(run.is_failure) if run.is_failure is not None else None,
        run.next_attempt_run_id,
    )


def to_run(row: Sequence[Any]) -> Run:
    """The run that a whole row stands for."""
    (
        run_id,
        kind,
        task_name,
        status,
        end_reason,
        exit_code,
        signal,
        triggered_by,
        params,
        created_at,
        scheduled_at,
        start_at,
        end_at,
        duration,
        retry_attempt,
        retry_of_run_id,
        instance_index,
        pid,
        cpu_time,
        max_rss,
        message,
        node,
        attempt,
        keeper_id,
        boot_id,
        name,
        command,
        cwd,
        tags,
        timeout,
        stdin,
        pty,
        sealed,
        actor_kind,
        actor_name,
        due_at,
        missed_ticks,
        missed_since,
        limits,
        env,
        rerun_of_run_id,
        despite_pause,
        revision,
        is_failure,
        next_attempt_run_id,
        upstream_run_id,
    ) = row
    return Run(
        id=RunId(run_id),
        kind=_KIND[kind],
        task_name=task_name,
        job=None
        if command is None
        else Job(
            command=_command(command),
            cwd=cwd,
            name=name,
            tags=() if tags is None else tuple(json.loads(tags)),
            timeout=to_duration(timeout) if timeout is not None else None,
            stdin=_STDIN[stdin],
            pty=bool(pty),
            env=() if env is None else tuple(json.loads(env)),
        ),
        status=_STATUS[status],
        end_reason=_END_REASON[end_reason],
        is_failure=bool(is_failure) if is_failure is not None else None,
        exit_code=exit_code,
        signal=signal,
        triggered_by=_TRIGGERED_BY[triggered_by],
        params=_params(params),
        actor=Actor(kind=ActorKind(actor_kind), name=actor_name) if actor_kind is not None else None,
        created_at=to_time(created_at),
        scheduled_at=to_time(scheduled_at) if scheduled_at is not None else None,
        due_at=to_time(due_at) if due_at is not None else None,
        missed_ticks=missed_ticks,
        missed_since=to_time(missed_since) if missed_since is not None else None,
        despite_pause=despite_pause,
        start_at=to_time(start_at) if start_at is not None else None,
        end_at=to_time(end_at) if end_at is not None else None,
        duration=to_duration(duration) if duration is not None else None,
        retry_attempt=retry_attempt,
        retry_of_run_id=retry_of_run_id,
        next_attempt_run_id=next_attempt_run_id,
        upstream_run_id=upstream_run_id,
        instance_index=instance_index,
        pid=pid,
        cpu_time=to_duration(cpu_time) if cpu_time is not None else None,
        max_rss=max_rss,
        message=message,
        node=node,
        hand_over=HandOver(attempt=attempt, keeper_id=keeper_id, boot_id=boot_id) if attempt else None,
        sealed=sealed,
        limits=None if limits is None else _limits(limits),
        rerun_of_run_id=rerun_of_run_id,
        revision=revision,
    )


def storable(sentence: str | None) -> str | None:
    """Text that a database takes: what came out of a file name may hold bytes that are no text, or a NUL."""
    if sentence is None or (sentence.isascii() and "\0" not in sentence):
        return sentence
    return sentence.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


def _hand_over(given: HandOver) -> tuple[str, str, str]:
    return given.attempt, given.keeper_id, given.boot_id


def _of_job(job: Job) -> tuple[object, ...]:
    return (
        job.name,
        json.dumps(job.command),
        job.cwd,
        json.dumps(job.tags) if job.tags else None,
        of_duration(job.timeout) if job.timeout is not None else None,
        job.stdin.value,
        int(job.pty),
    )


def _of_limits(limits: Mapping[str, Limit]) -> str:
    return json.dumps({name: (limit.max, limit.held_by.value) for name, limit in limits.items()})


def _limits(text: str) -> Mapping[str, Limit]:
    parsed: dict[str, tuple[float, str]] = json.loads(text)
    return {name: Limit(max=most, held_by=HeldBy(by)) for name, (most, by) in parsed.items()}


def _command(text: str) -> str | tuple[str, ...]:
    parsed: str | list[str] = json.loads(text)
    return parsed if isinstance(parsed, str) else tuple(parsed)


def _params(text: str) -> Mapping[str, str | None]:
    parsed: dict[str, str | None] = {} if text == "{}" else json.loads(text)
    return parsed
