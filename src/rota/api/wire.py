"""The model's words as JSON: times in RFC 3339 UTC, durations in seconds, everything else as it is."""

from __future__ import annotations

import json
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from rota.logs import line as lines
from rota.logs.index import STREAMS
from rota.model.param_schema import schema_of
from rota.model.secret import REDACTED, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from rota.engine.services.standing import InstanceNow, ServiceNow
    from rota.engine.timetable import Coming
    from rota.logs.line import Line
    from rota.logs.page import OpenLine
    from rota.model.definition import Revision
    from rota.model.event import Event, InstanceChange
    from rota.model.job import Job
    from rota.model.limit import Limit
    from rota.model.param import Param
    from rota.model.pause import Pause, Scope
    from rota.model.retry import Retry
    from rota.model.run import Actor, Run, WaitingFor
    from rota.model.service import HealthCheck
    from rota.model.task import Task
    from rota.operations.bulk import Outcome
    from rota.operations.list_tasks import TaskNow
    from rota.operations.loading import Refusal
    from rota.operations.read_lines import LogLines
    from rota.operations.read_service_log import ServiceLine, ServiceLines
    from rota.operations.reload import Reloaded
    from rota.operations.search_logs import Matches
    from rota.operations.why import Why

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(value: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8. Half a surrogate pair (bytes of a file name that are not text) stays `\\udcxx`."""
    try:
        return to_json(value, inf_nan_mode="null")
    except ValueError:  # it takes no surrogates
        return _encode(value).encode("utf-8", "backslashreplace")


def moment(at: datetime | None) -> str | None:
    """`2026-11-22T20:36:03.000000Z`."""
    if at is None:
        return None
    text = at.isoformat(timespec="microseconds")
    if not text.endswith("+00:00"):
        text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{text[:-6]}Z"


#: Thousands of lines come at the same moment.
_shared_moment = lru_cache(maxsize=16)(moment)


def seconds(duration: timedelta | None) -> float | None:
    """A duration as a number of seconds."""
    return None if duration is None else duration.total_seconds()


_NO_JOB: dict[str, Any] = {
    "name": None, "command": None, "cwd": None, "env": [], "tags": [], "timeout": None, "stdin": None,
    "pty": None,
}  # fmt: skip


def _job(it: Job) -> dict[str, Any]:
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


def _waiting_for(it: WaitingFor) -> dict[str, Any]:
    return {"kind": it.kind.value, "name": it.name, "run_ids": list(it.run_ids)}


def _limits(it: Mapping[str, Limit]) -> dict[str, Any]:
    return {name: {"max": limit.max, "held_by": limit.held_by.value} for name, limit in it.items()}


def _actor(it: Actor | None) -> dict[str, Any] | None:
    return None if it is None else {"kind": it.kind.value, "name": it.name}


def run(it: Run) -> dict[str, Any]:
    """A `Run`."""
    return {
        "id": it.id,
        "kind": it.kind.value,
        "task_name": it.task_name,
        **(_NO_JOB if it.job is None else _job(it.job)),
        "status": it.status.value,
        "end_reason": None if it.end_reason is None else it.end_reason.value,
        "is_failure": it.is_failure,
        "exit_code": it.exit_code,
        "signal": it.signal,
        "triggered_by": it.triggered_by.value,
        "actor": _actor(it.actor),
        "waiting_for": None if it.waiting_for is None else _waiting_for(it.waiting_for),
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
        "limits": None if it.limits is None else _limits(it.limits),
        "message": it.message,
        "deleted_at": moment(it.deleted_at),
        "revision": it.revision,
    }


def task(now: TaskNow) -> dict[str, Any]:
    """A `Task`: its definition, and how it stands."""
    return {
        **definition(now.task),
        "pauses": [pause(each) for each in now.pauses],
        "running": now.running,
        "pending": now.pending,
        "next_ticks": [next_tick(each) for each in now.next_ticks],
        "last_runs": [run(each) for each in now.last_runs],
    }


def pause(it: Pause) -> dict[str, Any]:
    """A `Pause`."""
    return {
        "kind": it.scope.kind.value,
        "name": it.scope.name,
        "reason": it.reason,
        "actor": _actor(it.actor),
        "via": it.via.value,
        "since": moment(it.since),
    }


def pause_state(scope: Scope, pauses: Sequence[Pause]) -> dict[str, Any]:
    """A `PauseState`."""
    return {"kind": scope.kind.value, "name": scope.name, "pauses": [pause(each) for each in pauses]}


def next_tick(it: Coming) -> dict[str, Any]:
    """A `NextTick`."""
    return {
        "task_name": it.task_name,
        "scheduled_at": moment(it.scheduled_at),
        "due_at": moment(it.due_at),
        "run_id": it.run_id,
    }


def why(it: Why) -> dict[str, Any]:
    """A `Why`."""
    return {
        "task_name": it.task_name,
        "last": [
            {
                "outcome": each.outcome,
                "count": each.count,
                "first": moment(each.first),
                "last": moment(each.last),
                "run_id": each.run_id,
                "end_reason": each.end_reason,
                "behind": list(each.behind),
                "message": each.message,
            }
            for each in it.last
        ],
        "next": [next_tick(each) for each in it.next],
        "note": it.note,
        "pauses": [pause(each) for each in it.pauses],
    }


def definition(it: Task) -> dict[str, Any]:
    """What the configuration says of a task."""
    return {
        "name": it.name,
        "run": it.run if isinstance(it.run, str) else list(it.run),
        "cron": list(it.cron),
        "timezone": it.timezone,
        "except": list(it.except_),
        "only": list(it.only),
        "not_before": None if it.not_before is None else it.not_before.isoformat(),
        "not_after": None if it.not_after is None else it.not_after.isoformat(),
        "catch_up": it.catch_up,
        "start_deadline": seconds(it.start_deadline),
        "jitter": seconds(it.jitter),
        "after": list(it.after),
        "after_failure": list(it.after_failure),
        "run_on_start": it.run_on_start,
        "description": it.description,
        "group": it.group,
        "tags": list(it.tags),
        "params": [param(each) for each in it.params],
        "params_schema": schema_of(it.params),
        "env_base": it.env_base,
        "env_file": list(it.env_file),
        "env": dict(it.env),
        "secrets_file": list(it.secrets_file),
        "secrets": sorted(it.secrets),
        "working_dir": it.working_dir,
        "shell": it.shell,
        "timeout": seconds(it.timeout),
        "stop_signal": it.stop_signal,
        "grace": seconds(it.grace),
        "exit_codes": sorted(it.exit_codes),
        "failures": sorted(it.failures),
        "retry": retry(it.retry),
        "keep_children": it.keep_children,
        "merge_stderr": it.merge_stderr,
        "stdin": it.stdin,
        "pty": it.pty,
        "user": it.user,
        "umask": None if it.umask is None else f"{it.umask:04o}",
        "nice": it.nice,
        "memory_max": it.memory_max,
        "cpu_max": it.cpu_max,
        "tasks_max": it.tasks_max,
        "enabled": it.enabled,
        "manual_trigger": it.manual_trigger,
        "max_concurrent": it.max_concurrent,
        "max_queued": it.max_queued,
        "priority": it.priority,
        "on_overlap": it.on_overlap,
        "log_max_size": it.log_max_size,
        "log_on_full": it.log_on_full,
        "keep_runs": it.keep_runs,
        "keep_for": seconds(it.keep_for),
    }


#: What of a task's definition a service has no use for.
_OF_TASKS = frozenset(
    {
        *("cron", "timezone", "except", "only", "not_before", "not_after", "catch_up", "start_deadline"),
        *("jitter", "run_on_start", "params", "params_schema", "timeout", "keep_children", "enabled"),
        *("manual_trigger", "max_concurrent", "max_queued", "priority", "on_overlap"),
        *("failures", "retry", "after", "after_failure"),
    }
)


def service(now: ServiceNow) -> dict[str, Any]:
    """A `Service`: its definition, and how it stands."""
    it = now.service
    return {
        **{name: value for name, value in definition(it.life).items() if name not in _OF_TASKS},
        "state": now.state,
        "wanted": now.wanted.running,
        "scale": now.scale,
        "declared": it.instances,
        "healthy": now.healthy,
        "restarting": {"rolling": now.wanted.rolling, "left": now.left} if now.left else None,
        "instances": [_instance(each) for each in now.instances],
        "restart": it.restart,
        "restart_delay": seconds(it.restart_delay),
        "restart_backoff": it.restart_backoff,
        "restart_attempts": it.restart_attempts,
        "healthy_after": seconds(it.healthy_after),
        "health": None if it.health is None else _health(it.health),
        "port": it.port,
        "autostart": it.autostart,
        "depends_on": list(it.depends_on),
        "reload_signal": it.reload_signal,
    }


def _instance(it: InstanceNow) -> dict[str, Any]:
    return {
        "index": it.index,
        "state": it.state,
        "since": moment(it.since),
        "pid": it.pid,
        "run_id": it.run_id,
        "port": it.port,
        "restarts": it.restarts,
        "failures": it.failures,
        "next_attempt_at": moment(it.next_attempt_at),
        "message": it.message,
    }


def _health(it: HealthCheck) -> dict[str, Any]:
    return {
        "command": list(it.command) if isinstance(it.command, tuple) else it.command,
        "http": it.http,
        "tcp": it.tcp,
        "notify": it.notify,
        "interval": seconds(it.interval),
        "timeout": seconds(it.timeout),
        "retries": it.retries,
        "start_period": seconds(it.start_period),
        "restart": it.restart,
    }


def revision(it: Revision) -> dict[str, Any]:
    """A `Revision`."""
    return {
        "task_name": it.name,
        "revision": it.number,
        "since": moment(it.since),
        "definition": dict(it.definition),
    }


def reloaded(it: Reloaded) -> dict[str, Any]:
    """A `Reload`."""
    return {
        "dry_run": it.dry_run,
        "added": [{"kind": each.kind, "name": each.name} for each in it.difference.added],
        "removed": [{"kind": each.kind, "name": each.name} for each in it.difference.removed],
        "changed": [
            {"kind": each.kind, "name": each.name, "keys": list(each.keys)} for each in it.difference.changed
        ],
        "restarted": list(it.effects.restarted),
        "scaled": list(it.effects.scaled),
        "stopped": [
            *({"kind": "service", "name": name, "run_id": None} for name in it.effects.stopped_services),
            *({"kind": "run", "name": run.task_name, "run_id": run.id} for run in it.effects.stopped),
        ],
        "needs_server_restart": list(it.difference.needs_server_restart),
        "warnings": list(it.warnings),
    }


def refusal(it: Refusal) -> dict[str, Any]:
    """A `ConfigRefused`."""
    return {"at": moment(it.at), "by": it.by, "faults": [str(fault) for fault in it.faults]}


def retry(it: Retry) -> dict[str, Any]:
    """A `Retry`."""
    return {
        "attempts": it.attempts,
        "delay": seconds(it.delay),
        "backoff": it.backoff,
        "max_delay": seconds(it.longest),
        "jitter": seconds(it.jitter),
        "on": None if it.on is None else sorted(it.on, key=lambda each: (isinstance(each, str), each)),
    }


def param(it: Param) -> dict[str, Any]:
    """A `Param`."""
    return {
        "name": it.name,
        "kind": it.kind,
        "type": it.type,
        "required": it.required,
        "default": REDACTED if isinstance(it.default, Secret) else it.default,
        "choices": list(it.choices),
        "allow_custom": it.allow_custom,
        "pattern": it.pattern,
        "min": it.min,
        "max": it.max,
        "description": it.description,
    }


def event(it: Event) -> dict[str, Any]:
    """An `Event`."""
    return {
        "id": it.id,
        "kind": it.kind,
        "at": moment(it.at),
        "run": None if it.run is None else run(it.run),
        "instance": None if it.instance is None else _instance_change(it.instance),
        "message": it.message,
    }


def bulk(it: Outcome, *, dry_run: bool, faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A `BulkOutcome`; its faults are problems."""
    return {
        "dry_run": dry_run,
        "matched": it.matched,
        "done": it.done,
        "refused": it.refused,
        "faults": faults,
        "reruns": [{"run_id": new, "rerun_of_run_id": old} for old, new in it.reruns],
        "broken_off": it.broken_off,
    }


def _instance_change(it: InstanceChange) -> dict[str, Any]:
    return {
        "service": it.service,
        "index": it.index,
        "state": it.state,
        "was": it.was,
        "run_id": it.run_id,
    }


def input_taken(run_id: str, unread: int) -> dict[str, Any]:
    """`InputTaken`."""
    return {"run_id": run_id, "unread": unread}


def terminal_size(run_id: str, rows: int, cols: int) -> dict[str, Any]:
    """A `TerminalSize`."""
    return {"run_id": run_id, "rows": rows, "cols": cols}


def line(it: Line) -> dict[str, Any]:
    """A `LogLine`."""
    return {
        "n": it.n,
        "at": _shared_moment(it.at),
        "stream": STREAMS[it.stream],
        "text": it.text,
        "continued": it.continued,
        "match": it.match,
    }


def open_line(it: OpenLine) -> dict[str, Any]:
    """An `OpenLine`."""
    return {"at": moment(lines.moment(it.at)), "stream": STREAMS[it.stream], "text": it.text}


def service_log_page(it: ServiceLines) -> dict[str, Any]:
    """A `ServiceLogPage`."""
    return {
        "lines": [service_line(each) for each in it.lines],
        "more": it.more,
        "next_cursor": it.place.write(),
    }


def service_line(it: ServiceLine) -> dict[str, Any]:
    """A `ServiceLogLine`."""
    return {"run_id": it.run.id, "instance_index": it.run.instance_index, "line": line(it.line)}


def service_life(it: Run) -> dict[str, Any]:
    """A `ServiceLife`."""
    return {
        "run_id": it.id,
        "instance_index": it.instance_index,
        "status": it.status,
        "end_reason": it.end_reason,
    }


def log_page(it: LogLines) -> dict[str, Any]:
    """A `LogPage`."""
    return {
        "lines": [line(each) for each in it.lines],
        "open": None if it.open is None else [open_line(each) for each in it.open],
        "first_available": it.first_available,
        "total_lines": it.total_lines,
        "truncated": it.first_available > 1 or it.dropped_bytes > 0 or it.removed_at is not None,
        "dropped_lines": it.first_available - 1,
        "dropped_bytes": it.dropped_bytes,
        "removed_at": moment(it.removed_at),
        "finalized": it.finalized,
        "stopped_early": it.stopped_early,
        "next_cursor": it.next_cursor,
    }


def matches(it: Matches) -> dict[str, Any]:
    """`LogMatches`."""
    reached = it.reached
    return {
        "items": [
            {"run_id": each.run.id, "task_name": each.run.task_name, "line": line(each.line)}
            for each in it.items
        ],
        "stopped": it.stopped,
        "runs": it.runs,
        "bytes": it.bytes,
        "reached": None
        if reached is None
        else {"run_id": reached.id, "created_at": moment(reached.created_at)},
        "next_cursor": it.next_cursor,
    }
