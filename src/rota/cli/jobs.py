"""`rota jobs`: the jobs, newest first."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.label import command
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.runs import LARGEST_PAGE, words
from rota.model.run import EndReason, Status, TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = ("RUN", "STATUS", "STARTED", "TOOK", "EXIT", "BY", "NAME", "COMMAND")


def list_jobs(
    name: str | None = None,
    /,
    *,
    tag: Annotated[list[str] | None, Parameter(negative=())] = None,
    status: Annotated[list[Status] | None, words("--status")] = None,
    end_reason: Annotated[list[EndReason] | None, words("--end-reason")] = None,
    is_failure: bool | None = None,
    triggered_by: Annotated[list[TriggeredBy] | None, words("--triggered-by")] = None,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20,
    json: Json = False,
    options: Given,
) -> None:
    """List the jobs, newest first.

    Parameters
    ----------
    name
        Only the jobs of this name.
    tag
        Only the jobs with this tag; may be repeated.
    status
        Only the jobs that stand so; may be repeated.
    end_reason
        Only the jobs that ended so; may be repeated.
    is_failure
        Only the jobs that ended in a failure; with --no-is-failure only the others that have ended.
    triggered_by
        Only the jobs started so; may be repeated.
    limit
        At most so many.
    """
    if limit < 1:
        raise Misuse("--limit is at least 1")
    out = Output()
    wanted: dict[str, str | list[str] | None] = {
        "name": name,
        "tag": tag,
        "status": [*status] if status else None,
        "end_reason": [*end_reason] if end_reason else None,
        "is_failure": None if is_failure is None else str(is_failure).lower(),
        "triggered_by": [*triggered_by] if triggered_by else None,
        "limit": str(min(limit, LARGEST_PAGE)),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    jobs = list(itertools.islice(options.client().jobs(filters), limit))
    if json:
        out.json(jobs)
        return
    out.table(TITLES, [_row(job, out) for job in jobs], empty="No job is like that.")


def _row(job: Mapping[str, Any], out: Output) -> tuple[str, ...]:
    code = job["signal"] if job["exit_code"] is None else str(job["exit_code"])
    return (
        out.run_id(job["id"]),
        job["end_reason"] or job["status"],
        out.moment(job["start_at"]),
        out.duration(job["duration"]),
        code or NOTHING,
        _by(job),
        job["name"] or NOTHING,
        command(job),
    )


def _by(job: Mapping[str, Any]) -> str:
    """Who it was, where that says more than the way by which it came."""
    actor = job["actor"]
    known: str = actor["name"] if actor is not None and actor["kind"] == "mcp" else job["triggered_by"]
    return known
