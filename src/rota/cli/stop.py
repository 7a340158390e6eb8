"""`rota stop`: end runs and services, politely and then firmly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.await_ends import await_ends
from rota.cli.complaint import Misuse, complain
from rota.cli.exit_code import ExitCode
from rota.cli.label import label
from rota.cli.options import Given, Json
from rota.cli.order import order
from rota.cli.output import Output
from rota.cli.selection import EVERY, Which, body_of, complain_of, do
from rota.cli.suggest import suggest_runs_and_services
from rota.cli.verdict import verdict
from rota.cli.which_run import RunUnclear, is_id, which_run
from rota.client.problem import Problem
from rota.model.run import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.client.client import Client

#: The problem of a run that was to be stopped, and has ended.
ENDED = "/problems/run-ended"


def stop(
    *runs: Annotated[str, Parameter(completer=suggest_runs_and_services)],
    which: Which = EVERY,
    wait: bool = True,
    json: Json = False,
    options: Given,
) -> int:
    """Stop runs and services: their stop signal first, SIGKILL after their grace. A waiting run is cancelled.

    A service stays stopped until it is started. The run of one of its lives can be stopped, too: then another
    life follows.

    Parameters
    ----------
    runs
        Ids of the runs, or unique endings of them of at least 4 characters; or names of services.
    wait
        Wait until they have ended.
    """
    out = Output()
    client = options.client()
    body, _ = body_of(runs, which, str)
    everything = which.all_
    if not (runs or which.kind):
        # A service is stopped by its name: another life follows each that is stopped by itself.
        which = replace(which, kind=[Kind.TASK, Kind.JOB], all_=False)
        body, _ = body_of(runs, which, str)
    code = ExitCode.OK
    if names := _services_among(client, runs):
        if which.dry_run:
            raise Misuse("--dry-run counts runs; a service is no run")
        runs = tuple(text for text in runs if text not in names)
        code = ExitCode(order(client, "stop", names, wait=wait, json=json))
        if not runs:
            return code
    if which.dry_run:
        return do(client, "stop", runs, which, done="stopped", json=json)
    asked, refused = _ask(client, runs) if runs else _ask_many(client, body)
    if wait:
        asked = [
            _told(run, quiet=json)
            for run in await_ends(client, [run["id"] for run in asked], on_gone=complain)
        ]
    elif not json:
        for run in asked:
            print(f"asked {label(run)} to stop (run {run['id']})")
    if json:
        out.json(asked)
    elif not runs and not asked:
        print("nothing runs or waits" if everything else "nothing like that runs or waits")
    return ExitCode.FAILED if refused else code


def _services_among(client: Client, texts: tuple[str, ...]) -> list[str]:
    if all(is_id(text) for text in texts):
        return []
    known = {service["name"] for service in client.services()}
    return [text for text in texts if text in known]


def _ask(client: Client, texts: Iterable[str]) -> tuple[list[dict[str, Any]], bool]:
    asked, refused = [], False
    for text in texts:
        try:
            asked.append(client.stop(which_run(client, text)))
        except (RunUnclear, Problem) as error:
            complain(error)  # the others are stopped all the same
            refused = True
    return asked, refused


def _ask_many(client: Client, body: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    filters = {"status": ["pending", "running"]} | body["filter"]
    asked = [run for run in client.runs({**filters, "limit": "1000"}) if run["status"] != "ended"]
    outcome = client.bulk("stop", body)
    # Some have ended by themselves before they were come to: that is what was wanted.
    faults = [fault for fault in outcome["faults"] if fault["type"] != ENDED]
    complain_of({**outcome, "faults": faults, "refused": len(faults)})
    return asked, bool(faults) or outcome["broken_off"] is not None


def _told(run: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    if not quiet:
        print(verdict(run), flush=True)
    return run
