"""What a server asks of a run that lives (its input, its terminal, a signal), and the answers.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import termios

from rota.keeper import terminal, tree, waiting
from rota.keeper.input import BROKEN, NotTaken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.child import Child
    from rota.keeper.input import Input

#: Why nothing was done, beside those of `rota.keeper.input`: the run is over · it reads `/dev/null` · it has
#: no terminal.
ENDED, NONE, NO_TERMINAL = "ended", "none", "no_terminal"


def answer(child: Child | None, message: dict[str, Any], log: Callable[[str], None]) -> dict[str, Any]:
    """The answer to `input`, `resize`, `look` or `signal`."""
    try:
        event, found = _do(child, message)
    except NotTaken as error:
        return refusal(message, error.why, error.unread)
    except (OSError, termios.error):  # its terminal was hung up
        return refusal(message, BROKEN)
    except Exception as error:  # noqa: BLE001 - unanswered, it would be waited for
        log(f"a defect: {message['op']} of run {message['run']} failed: {error!r}")
        return refusal(message, "defect")
    return {"event": event, "id": message["id"], "run": message["run"], **found}


def refusal(message: dict[str, Any], why: str, unread: int = 0) -> dict[str, Any]:
    """Nothing was done."""
    about = {"id": message["id"], "run": message["run"]}
    return {"event": "input_refused", **about, "why": why, "unread": unread}


def _do(child: Child | None, message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if child is None or child.exit is not None:
        raise NotTaken(ENDED)
    match message["op"]:
        case "input":
            return "input_taken", {"unread": _send(child, message)}
        case "resize":
            terminal.resize(_terminal(child).fd, message["rows"], message["cols"])
            return "resized", {}
        case "signal":
            os.kill(child.pid, message["number"])  # it is not reaped yet, so the pid is its own
            child.quotes.said(f"{message['by']} sent {signal.Signals(message['number']).name}")
            return "signalled", {}
        case _:
            return "seen", _look(child)


def _send(child: Child, message: dict[str, Any]) -> int:
    """Send it, and say so in the log; how many bytes are unread then."""
    by, key = message["by"], message.get("key")
    in_terminal = child.input is not None and child.input.is_terminal
    data = (message.get("typed") if in_terminal else None) or message.get("data") or ""
    if data:
        given = _given(child)
        silent = message.get("secret") or (in_terminal and not terminal.echoes(given.fd))
        sent = (given.as_typed(data) if key else data).encode("latin-1")
        given.send(sent)
        if silent:
            child.quotes.end()
        elif key:
            child.quotes.said(f"{by} sent {key}")
        elif in_terminal:
            child.quotes.typed(sent, by)
        else:
            child.quotes.sent(sent, by)
    elif message.get("signal"):
        tree.signal_all(child.roots, message["signal"])
        child.quotes.said(f"{by} sent {key}: {signal.Signals(message['signal']).name}")
    elif message.get("close"):
        _given(child).close()
        child.quotes.said(f"{by} closed standard input")
    else:
        raise NotTaken(NO_TERMINAL)
    return 0 if child.input is None else child.input.unread


def _look(child: Child) -> dict[str, Any]:
    given = child.input
    if given is None or not given.is_open:
        return {"open": False, "pty": False, "unread": 0, "waiting": False}
    unread = given.unread
    names = {given.name, "/dev/tty"} if given.is_terminal else {given.name}
    waits = False if unread else waiting.waits(tree.descendants(child.roots()), names)
    return {"open": True, "pty": given.is_terminal, "unread": unread, "waiting": waits}


def _given(child: Child) -> Input:
    if child.input is None:
        raise NotTaken(NONE)
    child.input.check()
    return child.input


def _terminal(child: Child) -> Input:
    if child.input is None or not child.input.is_terminal:
        raise NotTaken(NO_TERMINAL)
    child.input.check()
    return child.input
