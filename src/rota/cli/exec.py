"""`rota exec`: run any command as a job, here as it seems, and keep it when this terminal goes."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.attached import TYPED, attached
from rota.cli.complaint import Misuse, complain, say
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given, Json
from rota.cli.outlast import return_of_server
from rota.cli.output import Output
from rota.cli.show_log import Bytes, Nothing
from rota.client.problem import Disconnected
from rota.config.places import here
from rota.model.error import RotaError

if TYPE_CHECKING:
    from rota.client.client import Client

_Flag = Parameter(negative=(), show_default=False)


def exec_command(
    *command: Annotated[str, Parameter(allow_leading_hyphen=False)],
    name: str | None = None,
    detach: Annotated[bool, Parameter(name=("--detach", "-d"), negative=(), show_default=False)] = False,
    pty: Annotated[bool, Parameter(name=("--pty", "-t"), negative=(), show_default=False)] = False,
    shell: Annotated[bool, _Flag] = False,
    at: str | None = None,
    timeout: str | None = None,
    tag: Annotated[list[str] | None, Parameter(negative=())] = None,
    env: Annotated[list[str] | None, Parameter(name=("--env", "-e"), negative=())] = None,
    json: Json = False,
    options: Given,
) -> int:
    """Run a command as a job, such as rota exec -- make test.

    It runs in this folder, with this environment. Its output comes here, what is typed here goes to it, and
    this command exits as it does. Ctrl-C stops it; Ctrl-\\ leaves it running, and so does the end of this
    terminal. `rota attach` takes it up again.

    Parameters
    ----------
    command
        The program and its arguments, after `--`.
    name
        What to call the job.
    detach
        Print the job's id, and leave it running; its standard input is empty.
    pty
        Run it in a terminal of its own.
    shell
        The words are text for the shell.
    at
        Start it then: 2026-11-22T20:00:00Z, or in so long, 90m. It prints the id and does not wait.
    timeout
        Stop it after so long: 90s, 2h.
    tag
        A label to find it by; may be repeated.
    env
        NAME=VALUE, added to this environment; may be repeated.
    """
    body = _body(command, env or [], shell=shell) | {
        "name": name,
        "tags": tag or [],
        "pty": pty,
        "timeout": None if timeout is None else _seconds("--timeout", timeout),
        "at": None if at is None else _moment(at),
    }
    waits = not detach and at is None
    if waits and not pty:
        body["stdin"] = "pipe"
    try:
        client = options.client()
        run = _start(client, body | {"cwd": here()})
        if waits:
            show = Nothing() if json else Bytes(client.data, run["id"], unsaid=TYPED)
            return attached(client, run, show, json=json)
    except BrokenPipeError:
        raise
    except (RotaError, OSError) as error:
        complain(error)
        return ExitCode.ROTA
    Output().json(run) if json else print(run["id"])
    return ExitCode.OK


def _start(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    key = str(uuid.uuid4())
    try:
        return client.start_job(body, key=key)
    except Disconnected:
        say("the server went away before it had answered; asking again once it is back")
        return_of_server(client)
        return client.start_job(body, key=key)  # the key sees to it that nothing starts twice


def _body(words: tuple[str, ...], variables: list[str], *, shell: bool) -> dict[str, Any]:
    if not words:
        raise Misuse("there is no command; write it after --, such as: rota exec -- make test")
    for word in words:
        _check_text(word, "the command")
    env = _environment()
    for each in variables:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise Misuse(f"--env {each}: write NAME=VALUE")
        _check_text(each, f"--env {name}")
        env[name] = value
    return {"command": " ".join(words) if shell else list(words), "env": env}


def _environment() -> dict[str, str]:
    """Ours, but for Rota's own variables and for what is no text."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ROTA_") and _is_text(name) and _is_text(value)
    }


def _check_text(word: str, where: str) -> None:
    if not _is_text(word):
        raise Misuse(f"{where} has bytes that are not UTF-8: {word!r}")


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _seconds(flag: str, text: str) -> float:
    from rota.timing.duration import parse_duration
    from rota.timing.unreadable import Unreadable

    try:
        return parse_duration(text).total_seconds()
    except Unreadable as error:
        raise Misuse(f"{flag} {text}: {error}") from error


def _moment(text: str) -> str:
    """A time with its zone, from one, or from how long it is till then."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if at.tzinfo is None:
            raise Misuse(f"--at {text}: say its zone, such as {text}Z for UTC")
        return at.isoformat()
    from datetime import timedelta

    return (datetime.now(UTC) + timedelta(seconds=_seconds("--at", text))).isoformat()
