"""Diagnose a run: why it ended so, the errors in its log, what differs from its last success, what to try."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.line import Ansi
from rota.logs.page import View
from rota.logs.pattern import Wanted
from rota.model.error import RunNotFound
from rota.model.run import EndReason
from rota.operations.get_run import get_run
from rota.operations.read_lines import Grep, LinesWanted, read_lines
from rota.storage.page import RunFilter
from rota.timing.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rota.model.run import Run, RunId
    from rota.model.task import Task
    from rota.operations.rota import Rota

#: How a line says that something is wrong, in most programs.
ERROR = (
    r"\b(error|errors|exception|traceback|fatal|panic|critical|failed|failure|cannot|can't|could not|denied|"
    r"refused|not found|no such|undefined|unexpected|out of memory|segmentation fault|assert\w*)\b|"
    r"\w+(Error|Exception)\b"
)

#: So many of the first lines of errors, and of the last, are shown.
SHOWN = 5

#: Of an error's line, so much.
LONGEST = 300

_NUMBER = re.compile(r"[0-9]+")

#: What an end says by itself.
_ENDS = {
    EndReason.SUCCESS: "it was a success: there is nothing to mend",
    EndReason.TIMEOUT: "it ran longer than its timeout: see where its log stands still, or allow more",
    EndReason.STOPPED: "somebody asked for its end; it did not fail by itself",
    EndReason.START_FAILED: "nothing was started: see program, working_dir and user, as the message says",
    EndReason.OUT_OF_MEMORY: "the kernel killed it for want of memory: have it use less, or raise memory_max",
    EndReason.LOG_OVERFLOW: "it wrote more than log_max_size: write less, or raise that",
    EndReason.LOST: "nobody can say how it ended: the machine or the keeper died meanwhile; run it again",
    EndReason.SKIPPED: "it never ran, since an earlier run was going: see on_overlap of its task",
    EndReason.QUEUE_FULL: "it never ran, since too many were waiting: see max_concurrent and max_queued",
    EndReason.MISSED: "it never ran: nothing could run it when it was due",
}

#: Exit codes that shells and the system mean something by.
_CODES = {
    126: "the program was found and could not be executed: see its permissions, and whether it is a program",
    127: "the command was not found: see its spelling, and PATH in the run's environment",
    130: "it was interrupted (SIGINT)",
    137: "it was killed (SIGKILL), often for want of memory",
    139: "it crashed (SIGSEGV)",
    143: "it was asked to end (SIGTERM) by something outside of Rota",
}

#: What lines of errors suggest, by a word in them.
_SAYINGS = (
    ("command not found", _CODES[127]),
    ("permission denied", "the run's user may not do that: see the file's owner and mode"),
    ("no space left", "the disk is full: make room, and run it again"),
    ("connection refused", "nothing listens where it connects to: see whether that service runs"),
    ("no such file", "a file is missing: see working_dir, and paths that are relative"),
    ("modulenotfounderror", "a Python module is missing: see which interpreter and environment it runs with"),
    ("cannot find module", "a Node module is missing: see working_dir, and whether packages are installed"),
    ("address already in use", "another process has the port: look for an earlier run that still lives"),
    ("out of memory", "it ran out of memory"),
    ("name resolution", "a host name could not be resolved: see the network and DNS"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorLine:
    """A line that speaks of an error."""

    n: int
    text: str
    usual: bool  #: the last success said the same, so it is hardly the cause


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What can be said of a run."""

    run: Run
    first_errors: Sequence[ErrorLine]
    last_errors: Sequence[ErrorLine]
    last_success: Run | None
    failures_since: int | None  #: runs of the task that went wrong since then, this one included
    differences: Sequence[str]  #: from the last success
    suggestions: Sequence[str]


async def diagnose_run(rota: Rota, run_id: RunId) -> Diagnosis:
    """Raises RunNotFound."""
    run = await get_run(rota, run_id)
    success, failures = await _since_success(rota, run)
    usual = set() if success is None else {_shape(text) for _, text in await _errors(rota, success.id, 200)}
    first = _judged(await _errors(rota, run.id, SHOWN), usual)
    shown = {each.n for each in first}
    last = [
        each for each in _judged(await _errors(rota, run.id, SHOWN, tail=True), usual) if each.n not in shown
    ]
    task = rota.engine.tasks.get(run.task_name or "")
    return Diagnosis(
        run=run,
        first_errors=first,
        last_errors=last,
        last_success=success,
        failures_since=failures,
        differences=[] if success is None else differences(run, success),
        suggestions=suggestions(run, task, [each.text for each in (*first, *last)], success),
    )


def differences(run: Run, success: Run) -> list[str]:
    """What is otherwise than it was at the last success, as sentences."""
    return list(_differences(run, success))


def _differences(run: Run, success: Run) -> Iterator[str]:
    if run.exit_code != success.exit_code or run.signal != success.signal:
        yield f"it ended with {_ending(run)}, the success with {_ending(success)}"
    if run.duration is not None and success.duration is not None:
        ours, theirs = run.duration.total_seconds(), success.duration.total_seconds()
        if abs(ours - theirs) > max(1.0, 0.5 * max(ours, theirs)):
            yield f"it took {ours:.1f} s, the success {theirs:.1f} s"
    if dict(run.params) != dict(success.params):
        yield f"its parameters were {dict(run.params)}, those of the success {dict(success.params)}"
    if run.triggered_by is not success.triggered_by:
        yield f"it was triggered by {run.triggered_by}, the success by {success.triggered_by}"
    if run.max_rss is not None and success.max_rss is not None and run.max_rss > 2 * success.max_rss:
        ours_mb, theirs_mb = run.max_rss // 1_000_000, success.max_rss // 1_000_000
        yield f"it used {ours_mb} MB of memory, the success {theirs_mb} MB"


def suggestions(run: Run, task: Task | None, errors: Collection[str], success: Run | None) -> list[str]:
    """What to try, most likely first."""
    return list(dict.fromkeys(_suggestions(run, task, errors, success)))


def _suggestions(run: Run, task: Task | None, errors: Collection[str], success: Run | None) -> Iterator[str]:
    if run.end_reason is None:
        yield "it has not ended yet: wait for its end, or read what it writes"
        return
    if run.next_attempt_run_id is not None:
        yield f"it is tried again: see run {run.next_attempt_run_id}"
    if run.end_reason is EndReason.TIMEOUT and task is not None and task.timeout is not None:
        yield f"its timeout is {format_duration(task.timeout)}"
    if run.end_reason in _ENDS:
        yield _ENDS[run.end_reason]
    if run.end_reason is EndReason.FAILED:
        yield from _failed(run, errors, success)


def _failed(run: Run, errors: Collection[str], success: Run | None) -> Iterator[str]:
    if (meaning := _CODES.get(run.exit_code or 0)) is not None:
        yield f"exit code {run.exit_code} says: {meaning}"
    if run.signal == "SIGKILL":
        yield "it was killed from outside, often for want of memory: see the kernel's log"
    together = "\n".join(errors).lower()
    yield from (said for word, said in _SAYINGS if word in together)
    if not errors:
        yield "its log names no error: run it by hand with more output, or read all of the log"
    if success is None and run.job is None:
        yield "it never succeeded before: its definition itself may be wrong"


def _ending(run: Run) -> str:
    if run.exit_code is not None:
        return f"exit code {run.exit_code}"
    return run.signal or str(run.end_reason)


async def _since_success(rota: Rota, run: Run) -> tuple[Run | None, int | None]:
    """The last success before the run, and how many of the task went wrong since."""
    if run.task_name is None:
        return None, None
    successes = await _older(
        rota, run, RunFilter(task_name=run.task_name, end_reason=frozenset({EndReason.SUCCESS}))
    )
    if successes is None:
        return None, None
    bad = frozenset(EndReason) - {EndReason.SUCCESS, EndReason.STOPPED}
    page = await rota.store.runs(RunFilter(task_name=run.task_name, end_reason=bad), limit=200)
    return successes, sum(successes.id < each.id <= run.id for each in page.items)


async def _older(rota: Rota, run: Run, wanted: RunFilter) -> Run | None:
    page = await rota.store.runs(wanted, limit=50)
    while True:
        found = next((each for each in page.items if each.id < run.id), None)
        if found is not None or page.next_cursor is None:
            return found
        page = await rota.store.runs(wanted, limit=200, cursor=page.next_cursor)


async def _errors(rota: Rota, run_id: RunId, limit: int, *, tail: bool = False) -> list[tuple[int, str]]:
    wanted = LinesWanted(
        tail=tail,
        grep=Grep(wanted=Wanted(text=ERROR, regex=True, case=False)),
        view=View(streams=EVERY[:2], ansi=Ansi.STRIP, limit=limit),
    )
    try:
        page = await read_lines(rota, run_id, wanted)
    except RunNotFound:  # retention took it meanwhile
        return []
    return [(line.n, line.text.strip()[:LONGEST]) for line in page.lines]


def _judged(lines: list[tuple[int, str]], usual: Collection[str]) -> list[ErrorLine]:
    return [ErrorLine(n=n, text=text, usual=_shape(text) in usual) for n, text in lines]


def _shape(text: str) -> str:
    """A line without its numbers: times and counts differ from run to run."""
    return _NUMBER.sub("0", text)
