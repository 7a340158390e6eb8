"""What server and keeper say to each other, in the model's words: how it is written, and how it is read."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from rota.keeper import protocol
from rota.model.error import InputClosed, InputFull, KeeperUnavailable, NoTerminal, RotaError, RunEnded
from rota.model.input import KEYS, MOST_UNREAD, Input
from rota.model.limit import HeldBy, Limit
from rota.model.run import Cause, Ending, RunId
from rota.model.task import COLS, ROWS, LogOnFull, Stdin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.keeper.account import Account

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOSED = {
    "none": "its standard input is /dev/null; a task says stdin = true or pty = true in rota.toml, "
    "a job stdin = pipe or pty, to have it open",
    "closed": "its standard input was closed before",
    "broken": "its program has closed its standard input",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Spawn:
    """What the keeper needs to start a run."""

    run_id: RunId
    attempt: str
    argv: tuple[str, ...] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)  #: the whole environment
    cwd: str  #: absolute
    timeout: timedelta | None
    stop_signal: str
    grace: timedelta
    keep_children: bool
    merge_stderr: bool
    log_max_size: int | None = None  #: bytes of log and index; None is no limit
    log_on_full: LogOnFull = LogOnFull.DROP_OLD
    stdin: Stdin = Stdin.NONE  #: nothing to choose where there is a terminal: that is standard input, too
    pty: bool = False  #: a terminal for all three streams; what is written to it is standard output
    rows: int = ROWS  #: of the terminal
    cols: int = COLS
    account: Account | None = None  #: whose it is; None is the keeper's own
    umask: int | None = None  #: None is the keeper's
    nice: int | None = None  #: likewise
    secrets: tuple[str, ...] = field(default=(), repr=False)  #: texts that are hidden in its log
    notify: bool = False  #: it gets a socket by which it says how it is
    limits: Mapping[str, float] = field(default_factory=dict)  #: by their names in `rota.model.limit`


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A run's main process lives."""

    run_id: RunId
    attempt: str
    pid: int
    at: datetime
    limits: Mapping[str, Limit] | None = None  #: those that it has


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run is over."""

    run_id: RunId
    attempt: str
    pid: int | None
    start_at: datetime | None
    ending: Ending
    leftovers: tuple[str, ...] = ()  #: processes that had to be ended, as `name (pid)`
    limits: Mapping[str, Limit] | None = None  #: those that it had


@dataclass(frozen=True, kw_only=True, slots=True)
class NotNow:
    """A run could not be spawned for want of descriptors, processes or room; nothing of it exists."""

    run_id: RunId
    attempt: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notified:
    """A run has said something of itself; this is all that it has said so far."""

    run_id: RunId
    attempt: str
    ready: bool  #: it is ready for its work
    departs: bool  #: it is about to end
    pinged: bool  #: it has given a sign of life, the latest of which may be this


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """How a command went that was asked how a run is."""

    exit_code: int | None
    signal: str | None
    late: bool  #: it took longer than it might, and was ended
    said: str  #: the last line of its output, or why it was not started


Message = Started | Ended | NotNow | Notified


# --- writing


def write_spawn(spawn: Spawn, particulars: Mapping[str, Any]) -> dict[str, Any]:
    """A run's `spawn`, with what `find_particulars` has found of it."""
    return {
        "op": "spawn",
        "run": spawn.run_id,
        "attempt": spawn.attempt,
        "argv": spawn.argv,
        "env": dict(spawn.env),
        "cwd": spawn.cwd,
        "timeout": spawn.timeout.total_seconds() if spawn.timeout is not None else None,
        "stop_signal": int(signal.Signals[spawn.stop_signal]),
        "grace": spawn.grace.total_seconds(),
        "keep_children": spawn.keep_children,
        "merge_stderr": spawn.merge_stderr,
        "log_max_size": spawn.log_max_size,
        "log_on_full": spawn.log_on_full.value,
        **particulars,
    }


def find_particulars(spawn: Spawn) -> dict[str, Any]:
    """What only few runs ask for: the others' messages are spared it."""
    asked: dict[str, Any] = {}
    if spawn.pty:
        asked.update(pty=True, rows=spawn.rows, cols=spawn.cols)
    elif spawn.stdin is not Stdin.NONE:
        asked["stdin"] = spawn.stdin.value
    asked |= _manner(spawn)
    if spawn.secrets:
        asked["secrets"] = spawn.secrets
    if spawn.limits:
        asked["limits"] = dict(spawn.limits)
    if spawn.notify:
        asked["notify"] = True
    return asked


def _manner(spawn: Spawn) -> dict[str, Any]:
    """Whose a program is, and how it begins."""
    asked: dict[str, Any] = {}
    if spawn.account is not None:
        asked["account"] = [spawn.account.uid, spawn.account.gid, spawn.account.groups]
    if spawn.umask is not None:
        asked["umask"] = spawn.umask
    if spawn.nice is not None:
        asked["nice"] = spawn.nice
    return asked


def write_check(spawn: Spawn, timeout: float) -> dict[str, Any]:
    """A command that tells how a run is, which may take `timeout` seconds."""
    return {
        "argv": spawn.argv,
        "env": dict(spawn.env),
        "cwd": spawn.cwd,
        "timeout": timeout,
        **_manner(spawn),
    }


def write_input(given: Input, by: str) -> dict[str, Any]:
    """What a run is to read: bytes, or a key, which is other bytes in a terminal; or that it is all."""
    key = KEYS[given.key] if given.key is not None else None
    about: dict[str, Any] = {"by": by, "secret": given.secret, "close": given.close}
    if given.data is not None:
        about["data"] = given.data.decode("latin-1")
    if key is not None:
        about.update(key=given.key, typed=key.typed, data=key.piped or "", close=key.closes)
        about["signal"] = int(signal.Signals[key.signal]) if key.signal is not None else None
    return about


# --- reading


def read_message(heard: dict[str, Any]) -> Message | None:
    """What the keeper says by itself; None for an answer."""
    match heard.get("event"):
        case "started":
            return Started(
                run_id=heard["run"],
                attempt=heard["attempt"],
                pid=heard["pid"],
                at=_moment(heard["at"]),
                limits=_limits(heard.get("limits")),
            )
        case "ended":
            return Ended(
                run_id=heard["run"],
                attempt=heard["attempt"],
                pid=heard["pid"],
                start_at=_moment(heard["start_at"]) if heard["start_at"] else None,
                ending=_ending(heard),
                leftovers=tuple(heard["leftovers"]),
                limits=_limits(heard.get("limits")),
            )
        case "not_now":
            return NotNow(run_id=heard["run"], attempt=heard["attempt"], message=heard["message"])
        case "notified":
            said = {name: bool(heard.get(name)) for name in ("ready", "departs", "pinged")}
            return Notified(run_id=heard["run"], attempt=heard["attempt"], **said)
    return None


def read_checked(heard: Mapping[str, Any]) -> Checked:
    """The answer to `check`."""
    return Checked(
        exit_code=heard["exit_code"],
        signal=_signal_name(heard["signal"]) if heard["signal"] else None,
        late=heard["late"],
        said=heard["said"],
    )


def read_refusal(run_id: RunId, why: str, unread: int) -> RotaError:
    """Why nothing was done of what was asked."""
    match why:
        case "not_now":
            return KeeperUnavailable("the keeper has no room for it just now")
        case "ended":
            return RunEnded(run_id)
        case "full":
            return InputFull(run_id, unread, MOST_UNREAD)
        case "no_terminal":
            return NoTerminal(run_id)
    return InputClosed(run_id, _CLOSED.get(why, f"its keeper says {why!r}; see keeper.log"))


def _ending(heard: dict[str, Any]) -> Ending:
    return Ending(
        cause=Cause(heard["cause"]) if heard["cause"] else None,
        exit_code=heard["exit_code"],
        signal=_signal_name(heard["signal"]) if heard["signal"] else None,
        end_at=_moment(heard["end_at"]),
        duration=_length(heard["duration"]),
        cpu_time=_length(heard["cpu_time"]),
        max_rss=heard["max_rss"],
        message=heard["message"],
        log_size=heard.get("log_size"),
    )


def _limits(heard: Mapping[str, tuple[float, str]] | None) -> Mapping[str, Limit] | None:
    if heard is None:
        return None
    return {name: Limit(max=most, held_by=HeldBy(by)) for name, (most, by) in heard.items()}


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _length(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > signal.SIGRTMIN else f"SIG{number}"


# --- as lines

# JSON as the keeper has it from the standard library, at a third of the price. What is no text (the bytes of
# an environment need not be) is left to the keeper's own.


class TooLong(Exception):
    """No keeper takes this message, but would end the connection; the text says what to do."""


def encode(message: dict[str, Any]) -> bytes:
    """One line, with its newline; TooLong when the keeper would not take it."""
    try:
        line = to_json(message) + b"\n"
    except ValueError:
        line = protocol.encode(message)
    if len(line) > protocol.LONGEST:
        raise TooLong(
            f"its arguments and its environment are too large for any program: {len(line)} bytes on their"
            f" way to the keeper, which takes {protocol.LONGEST}; put what is large into a file"
        )
    return line


def decode(line: bytearray) -> dict[str, Any]:
    """The message in one line; ProtocolError when it is no JSON."""
    try:
        message: dict[str, Any] = from_json(line)
    except ValueError:
        return protocol.decode(line)
    return message
