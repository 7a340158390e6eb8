"""`rota run`: start a task, show its output, and end as it ends."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli import times
from rota.cli.complaint import Misuse, complain, say
from rota.cli.exit_code import ExitCode
from rota.cli.follow import follow
from rota.cli.options import Given, Json
from rota.cli.outlast import return_of_server
from rota.cli.output import Output
from rota.cli.show_log import Bytes, Nothing, tells_why
from rota.cli.suggest import suggest_tasks
from rota.cli.verdict import exit_code, verdict
from rota.client.problem import Disconnected, Problem
from rota.model.error import RotaError

if TYPE_CHECKING:
    from rota.client.client import Client


def run(
    task: Annotated[str, Parameter(completer=suggest_tasks)],
    /,
    *,
    param: Annotated[
        tuple[str, ...],
        Parameter(name=["--param", "-p"], negative=(), allow_leading_hyphen=True, show_default=False),
    ] = (),
    null: Annotated[
        tuple[str, ...], Parameter(negative=(), allow_leading_hyphen=True, show_default=False)
    ] = (),
    at: str | None = None,
    wait: bool | None = None,
    json: Json = False,
    options: Given,
) -> int:
    """Start a task, show its output, and exit with its exit code.

    Its standard output and standard error come as they are written, unchanged. Ctrl-C stops the waiting,
    not the run. With --json, the output is left to `rota logs`, and the ended run is printed. A run that
    fails and is retried is followed to its last attempt.

    Exit codes: the task's own; 124 when it timed out; 128 + n when signal n ended it; 143 when somebody
    stopped it; 125 when Rota could not run it to its end (no server, no such task, skipped, queue full,
    not started, lost).

    Parameters
    ----------
    task
        The task's name.
    param
        A value for one of the task's parameters, as NAME=VALUE; may be repeated. An option's name has its
        dashes: -p --level=high. NAME alone asks for the value, or takes a line of standard input: so a
        secret stays off the command line.
    null
        The name of a parameter to leave out, though it has a default; may be repeated.
    at
        Start it then rather than now: a time such as 2026-11-22T20:00 (on this machine's clock, unless it
        says its zone), or in how long, such as 10m. Until then it is pending, and `rota stop` cancels it.
    wait
        Wait for the end, as is done unless --at is given. With --no-wait, print the run's id and exit 0 as
        soon as it is recorded.
    """
    out = Output()
    params = values_of(param, null, flag="--param")
    moment = None if at is None else _moment(at)
    if wait is None:
        wait = at is None
    try:
        client = options.client()
        started = _trigger(client, task, params, moment)
        if started["despite_pause"] is not None:
            say(f"{started['despite_pause']}; it runs all the same")
        if not wait:
            out.json(started) if json else print(started["id"])
            return ExitCode.OK
        ended = _follow(client, started, quiet=json)
    except BrokenPipeError:
        raise
    except (RotaError, OSError) as error:
        if isinstance(error, Problem) and error.kind == "task-is-service":
            error = Misuse(f"{task!r} is a service, which is kept alive and not run: `rota start {task}`")
        complain(error)
        return ExitCode.ROTA
    if json:
        out.json(ended)
    elif ended["end_reason"] != "success":
        say(verdict(ended, why=not tells_why(client.data, ended)))
    return exit_code(ended)


def _typed(name: str, flag: str) -> str:
    """A value that is not on the command line, where every user of the machine could read it."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"{name}: ")
    line = sys.stdin.readline()
    if not line:
        raise Misuse(f"{flag} {name} has no value, and standard input has none either")
    return line.removesuffix("\n")


def values_of(given: tuple[str, ...], null: tuple[str, ...], *, flag: str) -> dict[str, str | None]:
    """What these flags say, by name; a value that is not there is asked for. Raises Misuse."""
    params: dict[str, str | None] = {}
    for each in (*given, *(f"{name}=" for name in null)):
        name, equals, value = each.partition("=")
        if not name:
            raise Misuse(f"{flag} {each} has no name; write it as NAME=VALUE")
        if name in params:
            raise Misuse(f"{flag} {name} is given more than once")
        params[name] = value if equals else _typed(name, flag)
    return params | dict.fromkeys(null)


def _moment(text: str) -> str:
    """A time of RFC 3339, of one on this machine's clock or a duration from now."""
    from rota.timing.duration import parse_duration

    try:
        return (datetime.now(UTC) + parse_duration(text.removeprefix("+"))).isoformat()
    except (ValueError, OverflowError):
        pass
    try:
        return times.moment(text).astimezone().isoformat()  # one without a zone is on our clock
    except (ValueError, OverflowError):
        raise Misuse(
            f"--at {text!r}: it is a time such as 2026-11-22T20:00, or in how long, such as 10m"
        ) from None


def _trigger(client: Client, task: str, params: dict[str, str | None], at: str | None) -> dict[str, Any]:
    key = str(uuid.uuid4())
    try:
        return client.trigger(task, key=key, params=params, at=at)
    except Disconnected:
        say("the server went away before it had answered; asking again once it is back")
        return_of_server(client)
        return client.trigger(
            task, key=key, params=params, at=at
        )  # the key sees to it that nothing starts twice


def _follow(client: Client, started: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """The last attempt of the run, once it has ended and the output of each was shown."""
    run_id = started["id"]
    try:
        while True:
            ended = follow(client, run_id, Nothing() if quiet else Bytes(client.data, run_id))
            if ended["next_attempt_run_id"] is None:
                return ended
            run_id = ended["next_attempt_run_id"]
            if not quiet:
                why = not tells_why(client.data, ended)
                say(f"{verdict(ended, why=why)}; it is tried again as run {run_id}")
    except KeyboardInterrupt:
        say(f"no longer waiting; run {run_id} goes on (`rota logs -f {run_id}`, `rota stop {run_id}`)")
        raise
