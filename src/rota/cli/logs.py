"""`rota logs`: what a run wrote, live or afterwards."""

from __future__ import annotations

import json as json_text
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rota.cli.follow import follow, show_bytes
from rota.cli.options import Given, Json
from rota.cli.suggest import suggest_runs
from rota.cli.which_run import which_run
from rota.logs.reader import LogFollower

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.cli.follow import Show
    from rota.client.client import Client


def logs(
    run: Annotated[str, Parameter(completer=suggest_runs)],
    /,
    *,
    follow_: Annotated[bool, Parameter(name=("--follow", "-f"), negative=(), show_default=False)] = False,
    raw: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    json: Json = False,
    options: Given,
) -> None:
    """Print what a run wrote: its standard output to ours, its standard error to ours, unchanged.

    Parameters
    ----------
    run
        Id of the run, or a unique ending of it of at least 4 characters.
    follow_
        Go on until the run has ended. Ctrl-C ends this command, not the run.
    raw
        Only the program's own bytes, both streams to standard output in the order of their arrival.
    """
    client = options.client()
    run_id = which_run(client, run)
    if json:
        lines = _Lines()
        _read(client, run_id, lines.show, live=follow_)
        lines.close()
    elif not raw:
        _read(client, run_id, show_bytes, live=follow_)
    elif follow_:
        _read(client, run_id, _show_raw, live=True)
    else:
        for piece in client.log(run_id):
            sys.stdout.buffer.write(piece)


def _read(client: Client, run_id: str, show: Show, *, live: bool) -> None:
    if live:
        follow(client, run_id, show)
    else:
        client.run(run_id)  # a run that does not exist is told from one that wrote nothing
        show(LogFollower(client.data, run_id).read())


def _show_raw(pieces: Iterable[tuple[str, bytes]]) -> None:
    for stream, piece in pieces:
        if stream != "system":
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()


class _Lines:
    """Each line as a JSON object of its own, once it is complete."""

    def __init__(self) -> None:
        self._open: dict[str, bytes] = {}

    def show(self, pieces: Iterable[tuple[str, bytes]]) -> None:
        """Print the lines that these pieces complete."""
        for stream, piece in pieces:
            *complete, self._open[stream] = (self._open.get(stream, b"") + piece).split(b"\n")
            for line in complete:
                self._print(stream, line)
        sys.stdout.flush()

    def close(self) -> None:
        """Print the lines that have no newline."""
        for stream, line in self._open.items():
            if line:
                self._print(stream, line)

    def _print(self, stream: str, line: bytes) -> None:
        print(
            json_text.dumps({"stream": stream, "text": line.decode("utf-8", "replace")}, ensure_ascii=False)
        )
