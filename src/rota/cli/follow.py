"""Follows a run: its output as it comes, each stream to its own, until the run has ended."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rota.cli.await_ends import await_ends
from rota.cli.complaint import say
from rota.logs.reader import LogFollower
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rota.client.client import Client

    #: Takes pieces of a log, each with its stream.
    Show = Callable[[Iterable[tuple[str, bytes]]], None]

#: Seconds between two looks at the log. The end of the run interrupts the pause.
LOOK = 0.05

#: Seconds after which a run that has not begun is told to wait.
QUIET = 1.0


def show_bytes(pieces: Iterable[tuple[str, bytes]]) -> None:
    """The program's bytes, unchanged, each stream to its own of ours; Rota's words are marked as such."""
    touched = set()
    for stream, piece in pieces:
        if stream == "system":
            for line in piece.decode("utf-8", "replace").splitlines():
                if words := line.removeprefix("; "):  # what is added to a line is shown on one of its own
                    say(words)
            continue
        target = sys.stderr if stream == "stderr" else sys.stdout
        target.buffer.write(piece)
        touched.add(target)
    for target in touched:
        target.flush()


def show_nothing(pieces: Iterable[tuple[str, bytes]]) -> None:
    """Leave the output where it is."""


def follow(client: Client, run_id: str, show: Show) -> dict[str, Any]:
    """The run, once it has ended and all of its output was shown.

    The server is asked only for the end; the log is read where it lies, so that output goes on coming
    while the server restarts.
    """
    end = _End(client, run_id)
    log = LogFollower(client.data, run_id)
    end.start()
    begun, asked = time.monotonic(), False
    while not end.came.wait(LOOK):
        show(log.read())
        if not asked and time.monotonic() - begun > QUIET:
            asked = True
            _tell_if_pending(client, run_id)
    show(log.read())
    return end.outcome()


def _tell_if_pending(client: Client, run_id: str) -> None:
    with contextlib.suppress(RotaError):  # whether the server is there at all is another's to tell
        if client.run(run_id)["status"] == "pending":
            say(f"run {run_id} waits for its turn")


class _End(threading.Thread):
    """Waits for the end of one run, beside the reading of its log."""

    def __init__(self, client: Client, run_id: str) -> None:
        super().__init__(name=f"end of {run_id}", daemon=True)
        self.came = threading.Event()
        self._client = client
        self._run_id = run_id
        self._outcome: dict[str, Any] | BaseException = RuntimeError("the run's end was not awaited")

    def run(self) -> None:
        try:
            self._outcome = next(await_ends(self._client, [self._run_id], on_gone=self._gone))
        except Exception as error:  # noqa: BLE001  told to the thread that waits for it
            self._outcome = error
        finally:
            self.came.set()

    def outcome(self) -> dict[str, Any]:
        """The ended run; what kept us from it is raised."""
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    def _gone(self, _error: RotaError) -> None:
        say("the server went away; the run goes on, and this command waits for the server to come back")
