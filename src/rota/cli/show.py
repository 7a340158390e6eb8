"""`rota show`: everything that is known of one run."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import Misuse
from rota.cli.label import command
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.suggest import suggest_runs
from rota.cli.which_run import the_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.client.client import Client

_MOMENTS = ("created_at", "scheduled_at", "due_at", "missed_since", "start_at", "end_at", "deleted_at")
_DURATIONS = ("timeout", "duration", "cpu_time")


def show(
    run: Annotated[str, Parameter(completer=suggest_runs)],
    /,
    *,
    definition: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    json: Json = False,
    options: Given,
) -> None:
    """Show everything that is known of one run.

    Parameters
    ----------
    run
        Id of the run, or a unique ending of it of at least 4 characters.
    definition
        Show what its task said when it was started.
    """
    out = Output()
    client = options.client()
    found = the_run(client, run)
    if definition:
        _show_definition(client, found, out, json=json)
    elif json:
        out.json(found)
    else:
        out.facts((name, _text(found, name, out)) for name in found if not name.startswith("$"))


def _show_definition(client: Client, run: Mapping[str, Any], out: Output, *, json: bool) -> None:
    if run["revision"] is None:
        raise Misuse(f"run {run['id']} was started under no definition of a file, or not yet")
    found = client.revision(run["task_name"], run["revision"])
    if json:
        out.json(found)
        return
    said = found["definition"].items()
    out.facts(
        [
            ("revision", str(found["revision"])),
            ("since", out.full_moment(found["since"])),
            *((name, value if isinstance(value, str) else dumps(value)) for name, value in said),
        ]
    )


def _text(run: Mapping[str, Any], name: str, out: Output) -> str:
    value = run[name]
    if name in _MOMENTS:
        return out.full_moment(value)
    if name in _DURATIONS:
        return out.duration(value)
    if name == "max_rss" and value is not None and out.terminal:
        return f"{value / 1_000_000:.1f} MB"
    if name == "command" and value is not None:
        return command(run)
    if name == "tags":
        return ", ".join(value) or NOTHING
    if name == "actor" and value is not None:
        return f"{value['kind']} {value['name']}"
    if name == "waiting_for" and value is not None:
        return " ".join(filter(None, (value["kind"], value["name"], *value["run_ids"])))
    if name == "limits" and value is not None:
        return ", ".join(
            f"{key} {_amount(key, each['max'])} by {each['held_by']}" for key, each in value.items()
        )
    if name == "env":
        return ", ".join(value) or NOTHING
    if name == "params":
        given = (f"{key}={text}" if text is not None else f"{key} left out" for key, text in value.items())
        return ", ".join(given) or NOTHING
    return NOTHING if value is None else str(value)


def _amount(name: str, most: float) -> str:
    return f"{most / 1_000_000:.1f} MB" if name == "memory_max" else f"{most:g}"
