"""Follows a run: its output as it comes, each stream to its own, until the run has ended."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rota.cli import times
from rota.cli.await_ends import await_ends
from rota.cli.complaint import say
from rota.cli.outlast import say_gone
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rota.cli.show_log import Show
    from rota.client.client import Client

#: Seconds between two looks at the log, unless told otherwise. The end of the run interrupts the pause.
LOOK = 0.05

#: Seconds after which a run that has not begun is told to wait.
QUIET = 1.0

#: So many of those that a run waits for are named.
MOST_NAMED = 3


def follow(
    client: Client,
    run_id: str,
    show: Show,
    *,
    look: float = LOOK,
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The run, once it has ended and all of its output was shown. `meanwhile` is called between two looks.

    The server is asked only for the end; the log is read where it lies, so that output goes on coming
    while the server restarts.
    """
    end = _End(client, run_id)
    end.start()
    begun, asked = time.monotonic(), False
    show(ended=False)
    while not end.came.wait(look):
        meanwhile()
        show(ended=False)
        if not asked and time.monotonic() - begun > QUIET:
            asked = True
            _tell_if_pending(client, run_id)
    try:
        outcome = end.outcome()
    except BaseException:
        show(ended=False)  # the run may go on; what it has written so far is shown
        raise
    show(ended=True)
    return outcome


def _tell_if_pending(client: Client, run_id: str) -> None:
    with contextlib.suppress(RotaError):  # whether the server is there at all is another's to tell
        run = client.run(run_id)
        if run["status"] != "pending":
            return
        due_at = times.moment(run["due_at"]) if run["due_at"] else None
        early = due_at is not None and due_at > datetime.now(UTC)
        say(f"run {run_id} {f'is due {times.local(due_at)}' if due_at and early else turn_of(run)}")


def turn_of(run: Mapping[str, Any]) -> str:
    """What a pending run waits for: `waits for its turn behind …`, with those that have the slots."""
    waiting_for = run["waiting_for"] or {}
    if waiting_for.get("kind") == "pause":
        return f"is held by the pause of {waiting_for['name'] or 'everything'}, until `rota resume`"
    before = waiting_for.get("run_ids", ())
    if not before:
        return "waits for its turn"
    more = f" and {len(before) - MOST_NAMED} more" if len(before) > MOST_NAMED else ""
    return f"waits for its turn behind {', '.join(before[:MOST_NAMED])}{more}"


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
            self._outcome = next(await_ends(self._client, [self._run_id], on_gone=say_gone("run")))
        except Exception as error:  # noqa: BLE001  told to the thread that waits for it
            self._outcome = error
        finally:
            self.came.set()

    def outcome(self) -> dict[str, Any]:
        """The ended run; what kept us from it is raised."""
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome
