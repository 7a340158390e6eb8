"""Which runs a verb is for: their ids, a filter in flags, or all of them; and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse, complain, say
from rota.cli.exit_code import ExitCode
from rota.cli.output import Output
from rota.cli.runs import words
from rota.cli.suggest import suggest_tasks
from rota.cli.which_run import RunUnclear, which_run
from rota.client.problem import Problem
from rota.model.run import EndReason, Kind, Status, TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rota.client.client import Client

#: So many refusals are said one by one.
SAID = 20


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which:
    """Runs by a filter, the same as that of `rota runs`."""

    task: Annotated[str | None, Parameter(completer=suggest_tasks)] = None
    """Those of this task."""
    kind: Annotated[list[Kind] | None, words("--kind")] = None
    """Those of this kind; may be repeated."""
    name: str | None = None
    """Jobs of this name."""
    tag: Annotated[list[str] | None, Parameter(negative=())] = None
    """Jobs with this tag; may be repeated."""
    status: Annotated[list[Status] | None, words("--status")] = None
    """Those that stand so; may be repeated."""
    end_reason: Annotated[list[EndReason] | None, words("--end-reason")] = None
    """Those that ended so; may be repeated."""
    is_failure: bool | None = None
    """Those that ended in a failure, by `failures` of their task; --no-is-failure: the others that ended."""
    triggered_by: Annotated[list[TriggeredBy] | None, words("--triggered-by")] = None
    """Those started so; may be repeated."""
    created_after: str | None = None
    """Those created after this time (RFC 3339, such as 2026-11-22T20:00:00Z)."""
    created_before: str | None = None
    """Those created before this time."""
    all_: Annotated[bool, Parameter(name="--all", negative=(), show_default=False)] = False
    """All of them, when nothing else says which."""
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False
    """Do nothing, and say how many it would be."""

    def filters(self) -> dict[str, str | bool | list[str]]:
        """The filter, as the API takes it."""
        said: Mapping[str, str | Sequence[str] | None] = {
            "task_name": self.task,
            "kind": self.kind,
            "name": self.name,
            "tag": self.tag,
            "status": self.status,
            "end_reason": self.end_reason,
            "triggered_by": self.triggered_by,
            "created_after": self.created_after,
            "created_before": self.created_before,
        }
        filters: dict[str, str | bool | list[str]] = {
            name: value if isinstance(value, str) else [*value] for name, value in said.items() if value
        }
        return filters if self.is_failure is None else filters | {"is_failure": self.is_failure}


#: A verb's parameter for it; what is not said is no filter at all.
EVERY = Which()


def body_of(runs: Sequence[str], which: Which, resolve: Callable[[str], str]) -> tuple[dict[str, Any], bool]:
    """What a bulk request says of them, and whether one of the ids is of no run. Raises Misuse."""
    filters = which.filters()
    if [bool(runs), bool(filters), which.all_].count(True) != 1:
        raise Misuse(
            "say which runs: by their ids, by a filter such as --task, or --all (and only one of them)"
        )
    if not runs:
        return {"filter": filters, "all": which.all_, "dry_run": which.dry_run}, False
    ids, refused = [], False
    for text in runs:
        try:
            ids.append(resolve(text))
        except (RunUnclear, Problem) as error:
            complain(error)  # it is done to the others all the same
            refused = True
    return {"ids": list(dict.fromkeys(ids)), "dry_run": which.dry_run}, refused


def do(
    client: Client,
    verb: str,
    runs: Sequence[str],
    which: Which,
    *,
    done: str,
    json: bool,
    resolve: Callable[[str], str] | None = None,
) -> int:
    """Have it done and say how it went; `done` is such as `deleted`. The exit code."""
    body, refused = body_of(runs, which, resolve or (lambda text: which_run(client, text)))
    if body.get("ids") != []:
        outcome = client.bulk(verb, body)
        tell(outcome, done=done, json=json)
        refused = refused or is_partial(outcome)
    return ExitCode.FAILED if refused else ExitCode.OK


def is_partial(outcome: Mapping[str, Any]) -> bool:
    """Whether it was not done to every one of them."""
    return bool(outcome["refused"]) or outcome["broken_off"] is not None


def tell(outcome: Mapping[str, Any], *, done: str, json: bool) -> None:
    """What was done, and what was not."""
    complain_of(outcome)
    if json:
        Output().json(outcome)
    elif not outcome["matched"]:
        print("no run is like that")
    else:
        runs = "1 run" if outcome["done"] == 1 else f"{outcome['done']} runs"
        print(f"would have {done} {runs}" if outcome["dry_run"] else f"{done} {runs}")


def complain_of(outcome: Mapping[str, Any]) -> None:
    """What was not done, and why."""
    for fault in outcome["faults"][:SAID]:
        say(
            fault["detail"]
            if fault["run_id"] in fault["detail"]
            else f"run {fault['run_id']}: {fault['detail']}"
        )
    if outcome["refused"] > SAID:
        say(f"and {outcome['refused'] - SAID} more")
    if outcome["broken_off"] is not None:
        say(f"it was broken off: {outcome['broken_off']}")
