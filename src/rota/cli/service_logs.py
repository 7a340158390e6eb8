"""What a service writes, over all its lives and instances, each line with whose it is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rota.cli.complaint import say
from rota.cli.outlast import outlast, say_gone
from rota.client.problem import Disconnected
from rota.logs.pattern import found_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.client.client import Client, Filters
    from rota.client.events import ServerEvent
    from rota.logs.pattern import Pattern

#: Lines that are shown of what was written before, unless told otherwise.
LINES = 1000

#: As many as can be asked for.
MOST_LINES = 10_000


class ServiceLog:
    """Shows lines as they are told; one that was told before a reconnection is not shown twice."""

    def __init__(self, name: str, *, pattern: Pattern | None, timestamps: bool, as_json: bool) -> None:
        self.last_id: str | None = None  #: of the last event that was heard: a stream goes on after it
        self._name = name
        self._pattern = pattern
        self._timestamps = timestamps
        self._as_json = as_json
        self._shown: dict[str, int] = {}  # the last line of each run
        self._unfinished: set[tuple[str, str]] = set()  # streams whose line goes on in the next piece

    def hear(self, event: ServerEvent) -> None:
        """Show what an event of the stream says."""
        if event.name == "line":
            self.show(event.data)
        elif event.name == "dropped":
            first, last = event.data["first"], event.data["last"]
            say(f"lines {first} to {last} of run {event.data['run_id']} were dropped")
        self.last_id = event.id or self.last_id

    def show(self, told: Mapping[str, Any]) -> None:
        """One line, or a piece of one."""
        run_id, line = told["run_id"], told["line"]
        part = run_id, line["stream"]
        goes_on = part in self._unfinished
        if not goes_on and line["n"] <= self._shown.get(run_id, 0):
            return
        self._shown[run_id] = max(line["n"], self._shown.get(run_id, 0))
        (self._unfinished.add if line["continued"] else self._unfinished.discard)(part)
        if self._pattern is not None and not found_in(self._pattern, line["text"].encode()):
            return
        if self._as_json:
            print(json.dumps(told, ensure_ascii=False), flush=True)
        else:
            self._print(told["instance_index"], line, goes_on=goes_on)

    def _print(self, index: int, line: Mapping[str, Any], *, goes_on: bool) -> None:
        target = sys.stdout if line["stream"] == "stdout" else sys.stderr
        before = ""
        if not goes_on:
            before = f"{line['at']} " if self._timestamps else ""
            before += f"{self._name}[{index}] | {'rota: ' if line['stream'] == 'system' else ''}"
        print(before + line["text"], end="" if line["continued"] else "\n", file=target, flush=True)


def show(client: Client, name: str, log: ServiceLog, filters: Filters) -> None:
    """What there is."""
    page = client.service_log(name, filters)
    for told in page["lines"]:
        log.show(told)
    while page["more"] and "from_at" in filters:
        following = {key: value for key, value in filters.items() if key != "from_at"}
        page = client.service_log(name, {**following, "since": page["next_cursor"]})
        for told in page["lines"]:
            log.show(told)


def follow(client: Client, name: str, log: ServiceLog, filters: Filters) -> None:
    """What there is, and what is written from now on, until it is interrupted."""
    for event in outlast(client, lambda: _events(client, name, log, filters), on_gone=say_gone("service")):
        log.hear(event)


def _events(client: Client, name: str, log: ServiceLog, filters: Filters) -> Iterator[ServerEvent]:
    with client.follow_service(name, filters, last_id=log.last_id) as events:
        yield from events
    raise Disconnected(client.data, "has left")
