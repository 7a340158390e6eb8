"""Where a run's files are. Standard library only: the keeper imports it."""

from __future__ import annotations

import os

#: The program's bytes, both streams, in order of arrival; absent when it wrote nothing.
LOG = ".log"
#: What stands where in the log; see `rota.logs.index`.
INDEX = ".idx"
#: Rota's own words about the run, a line each.
SYSTEM = ".sys"


def folder(data: str, run_id: str) -> str:
    """The folder of a run's files: a new one every 17 minutes, by the clock in the id."""
    return os.path.join(data, "runs", run_id[:7])


def path(data: str, run_id: str, suffix: str) -> str:
    """The path of one of a run's files."""
    return os.path.join(data, "runs", run_id[:7], run_id + suffix)
