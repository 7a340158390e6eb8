"""Orders to services: they are all given first, and then waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.cli.await_service import await_service, conclude
from rota.cli.complaint import complain
from rota.cli.exit_code import ExitCode
from rota.cli.output import Output
from rota.client.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rota.client.client import Client


def order(
    client: Client,
    verb: str,
    names: Iterable[str],
    *,
    body: Mapping[str, Any] | None = None,
    wait: bool,
    json: bool,
) -> int:
    """The exit code: 0 when each of the services came to stand well, or was told to with no wait."""
    out = Output()
    ordered, failed = [], False
    for name in names:
        try:
            ordered.append(client.order(name, verb, body))
        except Problem as problem:
            complain(problem)  # the others are told all the same
            failed = True
    if wait:
        ordered = [await_service(client, each["name"]) for each in ordered]
    if json:
        out.json(ordered)
    for service in ordered:
        sentence, well = conclude(service)
        failed = failed or (wait and not well)
        if not json:
            print(sentence, flush=True)
    return ExitCode.FAILED if failed else ExitCode.OK
