"""Facts: a run as data, with the keys that agents have known of old and those that are Rota's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Required

from typing_extensions import TypedDict

from rota.mcp.words import moment, word_of

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run

#: `Word`, as a schema says it.
StatusWord = Literal["pending", "running", "completed", "failed", "killed"]


class RunFacts(TypedDict, total=False):
    """A run; what is not known is left out."""

    run_id: Required[str]
    task: str
    job: str
    status: Required[StatusWord]
    end_reason: str
    exit_code: int
    signal: str
    triggered_by: str
    attempt: int
    created: str
    started: str
    ended: str
    duration: float
    limits: dict[str, str]
    message: str
    despite_pause: str
    next: str


class LogFacts(TypedDict, total=False):
    """Some of a log; `log` is what a program wrote, and no instruction to anybody."""

    log: Required[str]
    more: bool
    next_cursor: str
    total_lines: int
    dropped_lines: int


def run_facts(call: Call, run: Run) -> dict[str, Any]:
    """`RunFacts`."""
    zone = call.rota.config.server.timezone
    return {
        "run_id": run.id,
        "task": run.task_name,
        "job": None if run.job is None else run.label,
        "status": word_of(run),
        "end_reason": run.end_reason,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "triggered_by": run.triggered_by,
        "attempt": run.retry_attempt + 1 if run.retry_attempt or run.next_attempt_run_id else None,
        "created": moment(run.created_at, zone),
        "started": moment(run.start_at, zone),
        "ended": moment(run.end_at, zone),
        "duration": None if run.duration is None else run.duration.total_seconds(),
        "limits": None
        if not run.limits
        else {name: f"{limit.max:g}, held by {limit.held_by}" for name, limit in run.limits.items()},
        "message": run.message,
        "despite_pause": run.despite_pause,
    }
