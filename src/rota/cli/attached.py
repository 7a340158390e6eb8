"""Attached: a run's output comes here as it is written, what is typed goes to it, and Ctrl-C stops it."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any, Self

from rota.cli import terminal
from rota.cli.complaint import say
from rota.cli.exit_code import ExitCode
from rota.cli.follow import follow
from rota.cli.forward_input import ForwardInput
from rota.cli.output import Output
from rota.cli.show_log import tells_why
from rota.cli.verdict import exit_code, verdict
from rota.client.problem import Problem
from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.cli.show_log import Show
    from rota.client.client import Client

#: Seconds between two looks at the output of a program that somebody types to.
LOOK = 0.02

#: How the log tells what was typed here, which is no news to who typed it.
TYPED = ("cli sent ", "cli closed standard input")

#: What asks for the run's end, once; and what leaves it alone.
STOPPING = (signal.SIGINT, signal.SIGTERM)
LEAVING = (signal.SIGQUIT, signal.SIGHUP)


class Detached(Exception):
    """Whoever was attached has left, and the run goes on."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def attached(client: Client, run: dict[str, Any], show: Show, *, json: bool = False) -> int:
    """Stay until the run has ended, or somebody leaves; the exit code. `json`: print the ended run."""
    with _Signals() as signals:
        try:
            ended = _stay(client, run, show, signals)
        except Detached as left:
            with contextlib.suppress(OSError):  # the terminal may have gone
                say(f"detached; run {run['id']} goes on (`rota attach {run['id']}`, `rota stop {run['id']}`)")
            return left.code
        except BrokenPipeError:
            _stop(client, run["id"])  # nobody reads what it writes any more, as with any command in a pipe
            raise
    if json:
        Output().json(ended)
    elif ended["end_reason"] not in ("success", "failed") or ended["signal"]:
        say(verdict(ended, why=not tells_why(client.data, ended)))
    if ended["end_reason"] == "stopped" and signals.stopped_by == signal.SIGINT:
        return ExitCode.INTERRUPTED
    return exit_code(ended)


def _stay(client: Client, run: dict[str, Any], show: Show, signals: _Signals) -> dict[str, Any]:
    run_id, in_terminal = run["id"], bool(run["pty"])

    def meanwhile() -> None:
        for number in signals.taken():
            if number == signal.SIGWINCH:
                if in_terminal:
                    _resize(client, run_id)
            elif number in LEAVING:
                raise Detached(ExitCode.OK)
            elif signals.stopped_by is not None:
                raise Detached(ExitCode.INTERRUPTED)
            else:
                signals.stopped_by = number
                _stop(client, run_id)

    with terminal.raw() if in_terminal else contextlib.nullcontext():
        if in_terminal or run["stdin"] == "pipe":
            ForwardInput(client, run_id, until_key=in_terminal).start()
        if in_terminal:
            _resize(client, run_id)
        return follow(client, run_id, show, look=LOOK, meanwhile=meanwhile)


def _stop(client: Client, run_id: str) -> None:
    try:
        client.stop(run_id)
    except Problem as problem:
        if problem.kind != "run-ended":
            say(str(problem))
    except RotaError as error:
        say(str(error))


def _resize(client: Client, run_id: str) -> None:
    size = terminal.size()
    if size is not None:
        with contextlib.suppress(RotaError):  # it has not begun, or is over: there is nothing to be drawn
            client.resize(run_id, rows=size.lines, cols=size.columns)


class _Signals:
    """Takes note of signals, which the loop that shows the output then heeds: none interrupts a write."""

    def __init__(self) -> None:
        self.stopped_by: int | None = None  #: the signal that asked for the run's end
        self._came: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (*STOPPING, *LEAVING, signal.SIGWINCH):
            if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` means it
                self._before[number] = signal.signal(number, lambda number, _frame: self._came.append(number))
        # A command in the background that reads its terminal is not to be suspended for it.
        self._before[signal.SIGTTIN] = signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def taken(self) -> Iterator[int]:
        """Those that came since the last time, in their order."""
        while self._came:
            yield self._came.pop(0)
