"""A job: an ad-hoc command, given at run time, in no file; its run carries it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from rota.model.task import Stdin

JOBS = "[jobs]"
"""What the rules for all jobs are called among those of the tasks; no task can be called so."""

MAX_CONCURRENT = 10
"""Jobs that run at once, unless it is told otherwise."""

LABEL = re.compile(r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
"""What a job, or a tag of it, may be called: something, on one line."""

LONGEST_LABEL = 100
"""Characters of it."""

MOST_TAGS = 20
"""Tags of one job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What to run, and under which of the rules that a job may choose itself."""

    command: str | tuple[str, ...]  #: text for the shell, or a program and its arguments
    cwd: str  #: absolute
    stdin: Stdin
    name: str | None = None  #: a label; several jobs may have the same
    tags: tuple[str, ...] = ()
    env: tuple[str, ...] = ()  #: the names of the variables that it was given; their values are kept nowhere
    timeout: timedelta | None = None
    pty: bool = False  #: it runs on a terminal of its own, which is its standard input too
