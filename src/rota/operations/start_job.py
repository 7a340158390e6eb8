"""Start a job: a command that stands in no file, now or at a time to come, once for each key."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.auth.job_policy import refusal
from rota.auth.may import Act, may
from rota.engine.later import faults_of_time
from rota.model.error import Fault, Invalid, JobRefused, JobsOff
from rota.model.job import LABEL, LONGEST_LABEL, MOST_TAGS, Job
from rota.model.shell import program_of
from rota.model.task import Stdin
from rota.operations.once import once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rota.auth.caller import Caller
    from rota.config.config import Jobs
    from rota.engine.login import Login
    from rota.model.run import Run, RunId, TriggeredBy
    from rota.operations.once import Triggered
    from rota.operations.rota import Rota
    from rota.storage.requests import Request

#: Bytes of one argument or variable; the kernel refuses a longer one (MAX_ARG_STRLEN).
LONGEST_TEXT = 131_071

SHORTEST_TIMEOUT, LONGEST_TIMEOUT = timedelta(milliseconds=1), timedelta(days=36_500)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobWanted:
    """What is asked for."""

    command: str | tuple[str, ...]
    name: str | None = None
    cwd: str | None = None  #: absolute, or below `~`; None is the home of the user whose it is
    env: Mapping[str, str] = field(default_factory=dict)  #: added to that of a login, and never shown
    timeout: timedelta | None = None  #: None is what `[jobs]` says
    stdin: Stdin = Stdin.NONE
    pty: bool = False
    tags: tuple[str, ...] = ()
    at: datetime | None = None  #: not before this time


async def start_job(
    rota: Rota,
    wanted: JobWanted,
    *,
    caller: Caller,
    triggered_by: TriggeredBy,
    rerun_of: RunId | None = None,
    request: Request | None = None,
) -> Triggered:
    """Start the job, or give the run that an earlier request of the same key started.

    Raises JobsOff, JobRefused, Invalid, KeyReused, StoreUnavailable and ShuttingDown.
    """
    verdict = may(caller, Act.START_JOB, rota.config)
    if not verdict:
        raise JobsOff(verdict.why_not)

    async def start() -> Run:
        faults = list(faults_of(wanted, rota.config.jobs, now=rota.engine.now()))
        if faults:
            raise Invalid(faults)
        login = await rota.engine.triggering.login()
        job = _job(wanted, rota.config.jobs, login)
        await _check_policy(rota.config.jobs, job, wanted.env, login)
        return await rota.engine.triggering.start_job(
            job,
            env=wanted.env,
            at=wanted.at,
            triggered_by=triggered_by,
            actor=caller.actor,
            rerun_of=rerun_of,
            request=request,
        )

    return await once(rota, request, start)


def faults_of(wanted: JobWanted, jobs: Jobs, *, now: datetime) -> Iterator[Fault]:
    """Everything that is wrong with what is asked for."""
    yield from _faults_of_command(wanted.command)
    if wanted.name is not None:
        yield from _faults_of_label("body.name", wanted.name)
    if len(wanted.tags) > MOST_TAGS:
        yield Fault(location="body.tags", message=f"a job may have {MOST_TAGS} tags", value=len(wanted.tags))
    for place, tag in enumerate(wanted.tags):
        yield from _faults_of_label(f"body.tags.{place}", tag)
    if wanted.cwd is not None:
        yield from _faults_of_text("body.cwd", wanted.cwd)
        if not wanted.cwd.startswith("/") and wanted.cwd != "~" and not wanted.cwd.startswith("~/"):
            message = "it is an absolute path, or one below `~`"
            yield Fault(location="body.cwd", message=message, value=wanted.cwd)
    yield from _faults_of_env(wanted.env)
    yield from _faults_of_times(wanted, jobs, now)


def _faults_of_command(command: str | tuple[str, ...]) -> Iterator[Fault]:
    if isinstance(command, str):
        if not command.strip():
            yield Fault(location="body.command", message="there is nothing to run", value=command)
        yield from _faults_of_text("body.command", command)
        return
    if not command or not command[0]:
        message = "there is no program to run; the first text of the list names it"
        yield Fault(location="body.command", message=message, value=list(command))
    for place, argument in enumerate(command):
        yield from _faults_of_text(f"body.command.{place}", argument)


def _faults_of_env(env: Mapping[str, str]) -> Iterator[Fault]:
    # Values are secrets: no fault says one again.
    for name, value in env.items():
        location = f"body.env.{name}"
        if name.startswith("ROTA_"):
            yield Fault(location=location, message="names that begin with ROTA_ are Rota's own")
        elif not name or "=" in name or "\0" in name:
            yield Fault(location=location, message="it cannot be the name of an environment variable")
        for fault in _faults_of_text(location, f"{name}={value}"):
            yield Fault(location=location, message=fault.message)


def _faults_of_times(wanted: JobWanted, jobs: Jobs, now: datetime) -> Iterator[Fault]:
    timeout = wanted.timeout
    if timeout is not None:
        longest = jobs.timeout or LONGEST_TIMEOUT
        if not SHORTEST_TIMEOUT <= timeout <= longest:
            why = " ([jobs] timeout)" if jobs.timeout is not None else ""
            message = f"it is 0.001 to {longest.total_seconds():.12g} seconds{why}"
            yield Fault(location="body.timeout", message=message, value=timeout.total_seconds())
    yield from faults_of_time(wanted.at, now)


def _faults_of_label(location: str, label: str) -> Iterator[Fault]:
    if not LABEL.fullmatch(label) or len(label) > LONGEST_LABEL:
        message = f"it is a text of 1 to {LONGEST_LABEL} characters on one line"
        yield Fault(location=location, message=message, value=label)


def _faults_of_text(location: str, text: str) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(location=location, message="it has a NUL character, which no program can be given")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        yield Fault(location=location, message="it has half a surrogate pair, which is no character")
        return
    if size > LONGEST_TEXT:
        message = f"it is {size} bytes long; no program can be given more than {LONGEST_TEXT}"
        yield Fault(location=location, message=f"{message}; put it into a file, or send it as input")


def _job(wanted: JobWanted, jobs: Jobs, login: Login) -> Job:
    cwd = wanted.cwd or login.home
    if cwd == "~" or cwd.startswith("~/"):
        cwd = login.home + cwd[1:]
    return Job(
        command=wanted.command,
        cwd=os.path.normpath(cwd),
        name=wanted.name,
        env=tuple(sorted(wanted.env)),
        tags=tuple(dict.fromkeys(wanted.tags)),
        timeout=wanted.timeout or jobs.timeout,
        stdin=wanted.stdin,
        pty=wanted.pty,
    )


async def _check_policy(jobs: Jobs, job: Job, env: Mapping[str, str], login: Login) -> None:
    if not jobs.is_bounded:
        return
    login_search = login.environment["PATH"]
    why_not = await asyncio.to_thread(
        refusal,
        jobs,
        program_of(jobs.shell) if isinstance(job.command, str) else job.command[0],
        search=env.get("PATH", login_search),
        login_search=login_search,
        cwd=job.cwd,
    )
    if why_not is not None:
        raise JobRefused(why_not)
