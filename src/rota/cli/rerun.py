"""`rota rerun`: do again what runs did."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.await_ends import await_ends
from rota.cli.complaint import Misuse, complain, say
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given, Json
from rota.cli.outlast import return_of_server
from rota.cli.output import Output
from rota.cli.run import values_of
from rota.cli.selection import EVERY, Which, body_of, complain_of, is_partial, tell
from rota.cli.suggest import suggest_runs
from rota.cli.verdict import verdict
from rota.cli.which_run import which_run
from rota.client.problem import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rota.client.client import Client

_Repeated = Parameter(negative=(), allow_leading_hyphen=True, show_default=False)


def rerun(
    *runs: Annotated[str, Parameter(completer=suggest_runs)],
    param: Annotated[
        tuple[str, ...],
        Parameter(name=["--param", "-p"], negative=(), allow_leading_hyphen=True, show_default=False),
    ] = (),
    null: Annotated[tuple[str, ...], _Repeated] = (),
    env: Annotated[tuple[str, ...], Parameter(name=["--env", "-e"], negative=(), show_default=False)] = (),
    which: Which = EVERY,
    wait: bool = False,
    json: Json = False,
    options: Given,
) -> int:
    """Run ended runs again, each with the parameters that it had. The new ids are printed.

    What was secret is not kept, and has to be given again.

    Parameters
    ----------
    runs
        Ids of the runs, or unique endings of them of at least 4 characters.
    param
        A value for one of the parameters of the one run, as NAME=VALUE; may be repeated. NAME alone asks for
        it, or takes a line of standard input.
    null
        The name of a parameter of the one run to leave out; may be repeated.
    env
        A variable of the one job, as NAME=VALUE; may be repeated. NAME alone asks for it.
    wait
        Wait for their ends; the exit code is 1 unless all succeed.
    """
    client, key = options.client(), str(uuid.uuid4())
    anew = {"params": values_of(param, null, flag="--param"), "env": values_of(env, (), flag="--env")}
    if any(anew.values()):
        if len(runs) != 1 or which != EVERY:
            raise Misuse("--param, --null and --env are for one run, which is named by its id")
        run_id = which_run(client, runs[0])
        answer = _again(client, lambda: client.rerun(run_id, anew, key=key))
        started, failed = [answer["id"]], False
    else:
        body, failed = body_of(runs, which, lambda text: which_run(client, text))
        if body.get("ids") == []:
            return ExitCode.FAILED
        answer = _again(client, lambda: client.bulk("rerun", body, key=key))
        started, failed = [each["run_id"] for each in answer["reruns"]], failed or is_partial(answer)
        if which.dry_run or not answer["matched"]:
            tell(answer, done="run again", json=json)
            return ExitCode.FAILED if failed else ExitCode.OK
        complain_of(answer)
    if wait:
        ended = list(_ends(client, started, quiet=json))
        failed = failed or any(run["end_reason"] != "success" for run in ended)
        if json:
            Output().json(ended)
    elif json:
        Output().json(answer)
    else:
        print("\n".join(started))
    return ExitCode.FAILED if failed else ExitCode.OK


def _ends(client: Client, run_ids: list[str], *, quiet: bool) -> Iterator[dict[str, Any]]:
    for run in await_ends(client, run_ids, on_gone=complain):
        if not quiet:
            print(verdict(run), flush=True)
        yield run


def _again(client: Client, start: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return start()
    except Disconnected:
        say("the server went away before it had answered; asking again once it is back")
        return_of_server(client)
        return start()  # the key sees to it that nothing starts twice
