"""Facts of a job, with the keys that agents have known of old; the run of a task is one as well."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Required

from typing_extensions import TypedDict

from rota.mcp.facts import StatusWord, run_facts
from rota.mcp.words import Word, distance, moment, name_of, told, utc_now, word_of
from rota.model.run import WaitKind

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.input import InputState
    from rota.model.run import Run

#: Characters of a command that are shown.
_LONGEST = 1000


class JobFacts(TypedDict, total=False):
    """A job; what is not known is left out."""

    job_id: Required[str]
    status: Required[StatusWord]
    command: Required[str]
    name: str
    tags: list[str]
    cwd: str
    waiting_for: str
    waiting_for_input: bool
    due: str
    started: str
    ended: str
    exit_code: int
    signal: str
    end_reason: str
    duration: float
    message: str
    next: str


def job_facts(call: Call, run: Run) -> dict[str, Any]:
    """`JobFacts`, without what to do next."""
    facts = run_facts(call, run)
    kept = ("status", "started", "ended", "exit_code", "signal", "end_reason", "duration", "message")
    job = run.job
    return {
        "job_id": run.id,
        "command": command_of(call, run),
        "name": run.label if job is None else job.name,
        "tags": None if job is None else list(job.tags) or None,
        "cwd": None if job is None else job.cwd,
        "waiting_for": told(run) if run.waiting_for is not None else None,
        "due": due(call, run),
        **{key: facts[key] for key in kept},
    }


def due(call: Call, run: Run) -> str | None:
    """When a run that waits for its time is to start."""
    if run.waiting_for is None or run.waiting_for.kind is not WaitKind.TIME or run.due is None:
        return None
    at = moment(run.due, call.rota.config.server.timezone)
    return f"{at} ({distance(run.due, utc_now())})"


def command_of(call: Call, run: Run) -> str:
    """What it runs; of a task, as the task says it now."""
    if run.job is not None:
        return _line(run.job.command)
    task = call.rota.engine.tasks.get(run.task_name or "")
    return run.label if task is None else _line(task.run)


def _line(command: str | tuple[str, ...]) -> str:
    text = command if isinstance(command, str) else shlex.join(command)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def job_told(call: Call, run: Run) -> str:
    """A sentence."""
    at = due(call, run)
    return f"{name_of(run)} {told(run)}{'' if at is None else f', {at}'} (job {run.id})."


def waits_for_input(state: InputState | None) -> bool:
    """Whether it reads from an input that is open, and has read all that was sent."""
    return state is not None and state.open and bool(state.waiting) and not state.unread


def next_for_waiting(run: Run) -> str:
    """What to do about a job that waits for input."""
    return (
        f'It waits for input: interact_with_job(job_id="{run.id}", input=…) sends some, '
        "close=true ends it for a program that reads to the end."
    )


def next_for_job(run: Run, state: InputState | None = None) -> str:
    """What an agent may want to do then."""
    if waits_for_input(state):
        return next_for_waiting(run)
    word = word_of(run)
    if word in (Word.RUNNING, Word.PENDING):
        return (
            f'wait_for_run(run_ids=["{run.id}"]) waits for its end, tail_job_output reads, kill_job ends it.'
        )
    if word is Word.FAILED:
        return f'diagnose_run(run_id="{run.id}") says why it failed.'
    return f'get_job_output(job_id="{run.id}") reads its output.'
