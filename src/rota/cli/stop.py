"""`rota stop`: end runs, politely and then firmly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.await_ends import await_ends
from rota.cli.complaint import Misuse, complain
from rota.cli.exit_code import ExitCode
from rota.cli.label import label
from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.suggest import suggest_runs
from rota.cli.verdict import verdict
from rota.cli.which_run import RunUnclear, which_run
from rota.client.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.client.client import Client

#: The run that was to be stopped has ended.
CONFLICT = 409


def stop(
    *runs: Annotated[str, Parameter(completer=suggest_runs)],
    all_: Annotated[bool, Parameter(name="--all", negative=(), show_default=False)] = False,
    wait: bool = True,
    json: Json = False,
    options: Given,
) -> int:
    """Stop runs: their stop signal first, SIGKILL after their grace. A waiting run is cancelled.

    Parameters
    ----------
    runs
        Ids of the runs, or unique endings of them of at least 4 characters.
    all_
        Every run that lives or waits.
    wait
        Wait until they have ended.
    """
    if bool(runs) == all_:
        raise Misuse("name the runs to stop, or say --all (and not both)")
    out = Output()
    client = options.client()
    asked, refused = _ask_all(client) if all_ else _ask(client, runs)
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
    elif all_ and not asked:
        print("nothing runs or waits")
    return ExitCode.FAILED if refused else ExitCode.OK


def _ask(client: Client, texts: Iterable[str]) -> tuple[list[dict[str, Any]], bool]:
    asked, refused = [], False
    for text in texts:
        try:
            asked.append(client.stop(which_run(client, text)))
        except (RunUnclear, Problem) as error:
            complain(error)  # the others are stopped all the same
            refused = True
    return asked, refused


def _ask_all(client: Client) -> tuple[list[dict[str, Any]], bool]:
    # Those that wait come first: a slot that is freed must not start one of them.
    asked, refused = [], False
    for status in ("pending", "running"):
        for run in list(client.runs({"status": status, "limit": "1000"})):
            try:
                asked.append(client.stop(run["id"]))
            except Problem as problem:
                if problem.status != CONFLICT:  # it ended by itself meanwhile
                    complain(problem)
                    refused = True
    return asked, refused


def _told(run: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    if not quiet:
        print(verdict(run), flush=True)
    return run
