"""The policy of `[jobs]`: which programs and folders a job may have, and so a task that an agent writes.

A guard against slips, no wall.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING

from rota.model.shell import program_of

if TYPE_CHECKING:
    from rota.config.config import Jobs
    from rota.model.task import Task

_ANY = frozenset("*?[")


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a command starts, as far as it can be found."""

    said: str  #: as the command names it
    found: str  #: the file that is started
    real: str  #: where that is, behind every link


def refusal(jobs: Jobs, program: str, *, search: str, login_search: str, cwd: str) -> str | None:
    """Why a job may not start this program in this folder; None when it may.

    `search` is the PATH of the job, `login_search` that of a login, by which names in the policy are found.
    It looks into the file system: not to be called where nothing may wait.
    """
    if jobs.cwd_roots is not None and not any(_lies_in(cwd, root) for root in jobs.cwd_roots):
        roots = ", ".join(jobs.cwd_roots) or "none"
        return f"{cwd} is outside of the folders in which jobs may run ([jobs] cwd_roots: {roots})"
    if jobs.allow is None and not jobs.deny:
        return None
    it = _resolved(program, search, cwd)
    denied = next((each for each in jobs.deny if _is_denied(it, each, login_search)), None)
    if denied is not None:
        return f"jobs may not start {_shown(it)}: [jobs] deny has {denied!r}"
    if jobs.allow is not None and not any(_is(it, each, login_search) for each in jobs.allow):
        allowed = ", ".join(map(repr, jobs.allow)) or "nothing"
        return f"jobs may not start {_shown(it)}: [jobs] allow has {allowed}"
    return None


def refusal_of_task(jobs: Jobs, task: Task, *, search: str, login_search: str, folder: str) -> str | None:
    """Why an agent may not write this task, which is to do no more than its jobs may; None when it may.

    `folder` is where the task runs that names none; the rest is as in `refusal`.
    """
    if jobs.user is not None and task.user != jobs.user:
        whose = "the server's user" if task.user is None else task.user
        return f"it would run as {whose}, and jobs run as {jobs.user} ([jobs] user): say user = {jobs.user!r}"
    return refusal(
        jobs,
        program_of(task.shell) if isinstance(task.run, str) else task.run[0],
        search=task.env.get("PATH", search),
        login_search=login_search,
        cwd=task.working_dir or folder,
    )


def _resolved(program: str, search: str, cwd: str) -> Program:
    if "/" in program:
        found = os.path.normpath(os.path.join(cwd, program))  # noqa: PTH118  Path has no normpath
    else:
        found = shutil.which(program, path=search) or program
    return Program(said=program, found=found, real=os.path.realpath(found) if "/" in found else found)


def _is(it: Program, pattern: str, search: str) -> bool:
    """Whether the pattern means this very file: a file of the same name elsewhere is another."""
    if "/" in pattern:
        return fnmatchcase(it.real, pattern) or it.real == os.path.realpath(pattern)
    if _ANY.isdisjoint(pattern):
        found = shutil.which(pattern, path=search)
        return found is not None and it.real == os.path.realpath(found)
    return fnmatchcase(PurePath(it.real).name, pattern)


def _is_denied(it: Program, pattern: str, search: str) -> bool:
    """The same, or a link or a file of that name anywhere."""
    if _is(it, pattern, search):
        return True
    paths = (it.found, it.real)
    return any(fnmatchcase(path if "/" in pattern else PurePath(path).name, pattern) for path in paths)


def _shown(it: Program) -> str:
    return repr(it.said) if it.said == it.real else f"{it.said!r} ({it.real})"


def _lies_in(folder: str, root: str) -> bool:
    real, root = os.path.realpath(folder), os.path.realpath(root)
    return os.path.commonpath([real, root]) == root
