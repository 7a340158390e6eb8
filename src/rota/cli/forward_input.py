"""Sends what comes in on standard input to a run, in order, as fast as the run takes it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from rota.cli import terminal
from rota.cli.complaint import say
from rota.client.problem import Disconnected, NoServer, Problem
from rota.model.error import RotaError

if TYPE_CHECKING:
    from rota.client.client import Client

#: Bytes that are sent at once.
PIECE = 64 * 1024

#: Seconds between two tries to send what was not taken.
PAUSE = 0.05

#: What passes by itself: the run has not begun, does not read for now, or its keeper is being replaced.
PASSING = frozenset({"run-not-started", "input-full", "keeper-unavailable", "shutting-down"})


class ForwardInput(threading.Thread):
    """Reads until the end, which it passes on, or until the run takes no more."""

    def __init__(self, client: Client, run_id: str, *, until_key: bool) -> None:
        """`until_key`: the detach key is looked for, since the terminal passes it on like any other."""
        super().__init__(name=f"input of {run_id}", daemon=True)
        self._client = client
        self._run_id = run_id
        self._until_key = until_key and sys.stdin.isatty()

    def run(self) -> None:
        try:
            while piece := os.read(sys.stdin.fileno(), PIECE):
                typed, key, _ = piece.partition(terminal.DETACH) if self._until_key else (piece, b"", b"")
                if typed and not self._send(typed):
                    return
                if key:
                    os.kill(
                        os.getpid(), signal.SIGQUIT
                    )  # which is what it does in a terminal that is not raw
                    return
            if not terminal.hung_up():  # which is no end of the input, but of whoever would type it
                self._send(None)
        except (OSError, ValueError):
            return  # it is closed, or a terminal in whose background we are: there is nothing to send

    def _send(self, piece: bytes | None) -> bool:
        """Whether the run took it; None is the end."""
        while True:
            try:
                self._client.send_input(self._run_id, piece)
            except Problem as problem:
                if problem.kind not in PASSING:
                    return False
            except NoServer:
                pass  # it restarts; the keeper holds the run's input meanwhile
            except Disconnected:
                say("the server went away; some of the input may be lost")
                return True
            except RotaError:
                return False
            else:
                return True
            time.sleep(PAUSE)
