"""`rota runs`: the runs, newest first."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.label import label
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.suggest import suggest_tasks
from rota.model.run import EndReason, Status, TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES = ("RUN", "TASK", "STATUS", "STARTED", "TOOK", "EXIT", "BY")

#: The most that the server gives at once.
LARGEST_PAGE = 1000


def words(flag: str) -> Parameter:
    """A flag whose values are an enum's words, as they are stored, sent and shown."""
    return Parameter(name=flag, name_transform=str.lower, negative=())


def list_runs(
    task: Annotated[str | None, Parameter(completer=suggest_tasks)] = None,
    /,
    *,
    status: Annotated[list[Status] | None, words("--status")] = None,
    end_reason: Annotated[list[EndReason] | None, words("--end-reason")] = None,
    is_failure: bool | None = None,
    triggered_by: Annotated[list[TriggeredBy] | None, words("--triggered-by")] = None,
    created_after: str | None = None,
    created_before: str | None = None,
    deleted: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20,
    json: Json = False,
    options: Given,
) -> None:
    """List the runs, newest first.

    Parameters
    ----------
    task
        Only the runs of this task.
    status
        Only the runs that stand so; may be repeated.
    end_reason
        Only the runs that ended so; may be repeated.
    is_failure
        Only the runs that ended in a failure, by `failures` of their task; with --no-is-failure only the
        others that have ended.
    triggered_by
        Only the runs started so; may be repeated.
    created_after
        Only the runs created after this time (RFC 3339, such as 2026-11-22T20:00:00Z).
    created_before
        Only the runs created before this time.
    deleted
        Those that were deleted and can be restored, instead.
    limit
        At most so many.
    """
    if limit < 1:
        raise Misuse("--limit is at least 1")
    out = Output()
    wanted: dict[str, str | list[str] | None] = {
        "task_name": task,
        "status": [*status] if status else None,
        "end_reason": [*end_reason] if end_reason else None,
        "is_failure": None if is_failure is None else str(is_failure).lower(),
        "triggered_by": [*triggered_by] if triggered_by else None,
        "created_after": created_after,
        "created_before": created_before,
        "deleted": "true" if deleted else None,
        "limit": str(min(limit, LARGEST_PAGE)),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    runs = list(itertools.islice(options.client().runs(filters), limit))
    if json:
        out.json(runs)
        return
    out.table(TITLES, [_row(run, out) for run in runs], empty="No run is like that.")


def _row(run: Mapping[str, Any], out: Output) -> tuple[str, ...]:
    code = run["signal"] if run["exit_code"] is None else str(run["exit_code"])
    return (
        out.run_id(run["id"]),
        _label(run, out),
        run["end_reason"] or run["status"],
        out.moment(run["start_at"]),
        out.duration(run["duration"]),
        code or NOTHING,
        run["triggered_by"] + (f" {run['retry_attempt']}" if run["retry_attempt"] else ""),
    )


def _label(run: Mapping[str, Any], out: Output) -> str:
    called = label(run)
    return called if out.terminal or not any(map(str.isspace, called)) else NOTHING
