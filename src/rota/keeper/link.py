"""The server's end of the keeper's socket: finds or launches the keeper, and speaks in the model's words."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import from_json, to_json

import rota
from rota.keeper import address, journal
from rota.keeper.protocol import PROTOCOL, Lines, ProtocolError, decode, encode
from rota.model.error import (
    InputClosed,
    InputFull,
    KeeperUnavailable,
    NoTerminal,
    Refused,
    RunEnded,
    Unusable,
)
from rota.model.input import KEYS, MOST_UNREAD, Input, InputState
from rota.model.limit import HeldBy, Limit
from rota.model.run import Cause, Ending, RunId
from rota.model.task import COLS, ROWS, LogOnFull, Stdin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from rota.keeper.account import Account

_HERE = Path(__file__).resolve().parent
_PYTHON = (sys.executable, "-I", "-S", "-X", "utf8")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRIES = 50
_ANSWERING = 2  # the first protocol in which a keeper can be asked
_LIMITING = 3  # the first in which it knows limits
_PATIENCE = 10.0  # seconds that an answer may take
_CLOSED = {
    "none": "its standard input is /dev/null; a task says stdin = true or pty = true in rota.toml, "
    "a job stdin = pipe or pty, to have it open",
    "closed": "its standard input was closed before",
    "broken": "its program has closed its standard input",
}
_PAUSE = 0.1  # seconds between tries, while an old keeper leaves or a new one begins


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
class Left:
    """What was found of a run after its keeper had died, as `name (pid)`."""

    found: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()  #: those of them that could not be ended


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


class KeeperLink:
    """A connection to the keeper of one data folder."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lines = Lines()
        self._heard: deque[dict[str, Any]] = deque()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}  # by the id of what was asked
        self._last_id = 0
        self.keeper_id = ""
        self.boot_id = ""
        self.version = ""
        self.protocol = 0
        self.pid = 0
        self.min_free_space = 0  #: bytes of the disk that output has to leave free
        self.listed: list[Started | Ended] = []  #: every run that the keeper held at hello
        self.notified: list[Notified] = []  #: what those had said of themselves by then

    @classmethod
    async def open(
        cls,
        data: Path,
        *,
        launch: bool = True,
        upgrade: bool = True,
        descriptors: int | None = None,
        min_free_space: int = 0,
    ) -> Self:
        """Connect to the keeper of `data`.

        Launches one when none runs, which first ends what a dead one left; has one of another version
        replace itself by this program's. `descriptors` is the soft limit that the programs of a keeper
        launched now get; None is ours. `min_free_space` is how much of the disk output leaves free. Raises
        Unusable when there is none to be had.
        """
        for _ in range(_TRIES):
            link = await cls.connect(data, launch=launch, descriptors=descriptors)
            link.min_free_space = min_free_space
            try:
                if await link.greet():
                    if upgrade and not link._is_ours:  # noqa: SLF001  it is of this class
                        await link.upgrade(data)
                    return link
            except BaseException:
                await link.close()
                raise
            await link.close()  # it was dying as it was called; the next try finds it gone
        raise Unusable(f"the keeper for {data} ends every connection; see keeper.log there")

    def spawn(self, spawn: Spawn) -> None:
        """Hand a run over. A second time for the same run changes nothing."""
        particulars = _particulars(spawn)
        if particulars and self.protocol < _ANSWERING:  # it would start it, as another user for instance
            raise Unusable(f"the keeper is of an older version, and does not know {', '.join(particulars)}")
        if spawn.limits and self.protocol < _LIMITING:
            raise Unusable("the keeper is of an older version, and does not know limits")
        self._send(
            op="spawn",
            run=spawn.run_id,
            attempt=spawn.attempt,
            argv=spawn.argv,
            env=dict(spawn.env),
            cwd=spawn.cwd,
            timeout=spawn.timeout.total_seconds() if spawn.timeout is not None else None,
            stop_signal=int(signal.Signals[spawn.stop_signal]),
            grace=spawn.grace.total_seconds(),
            keep_children=spawn.keep_children,
            merge_stderr=spawn.merge_stderr,
            log_max_size=spawn.log_max_size,
            log_on_full=spawn.log_on_full.value,
            **particulars,
        )

    async def send_input(self, run_id: RunId, given: Input, by: str) -> int:
        """Send a run input, all of it or nothing; how many bytes it has not read then.

        Raises RunEnded, InputClosed, InputFull, NoTerminal, KeeperUnavailable.
        """
        key = KEYS[given.key] if given.key is not None else None
        about: dict[str, Any] = {"by": by, "secret": given.secret, "close": given.close}
        if given.data is not None:
            about["data"] = given.data.decode("latin-1")
        if key is not None:
            about.update(key=given.key, typed=key.typed, data=key.piped or "", close=key.closes)
            about["signal"] = int(signal.Signals[key.signal]) if key.signal is not None else None
        return int((await self._ask("input", run_id, **about))["unread"])

    async def resize(self, run_id: RunId, rows: int, cols: int) -> None:
        """Set the size of a run's terminal. Raises RunEnded, NoTerminal, InputClosed, KeeperUnavailable."""
        await self._ask("resize", run_id, rows=rows, cols=cols)

    async def look(self, run_id: RunId) -> InputState:
        """How the input of a run stands. Raises RunEnded, KeeperUnavailable."""
        seen = await self._ask("look", run_id)
        return InputState(**{name: seen[name] for name in ("open", "pty", "unread", "waiting")})

    async def signal(self, run_id: RunId, name: str, by: str) -> None:
        """Send its main process a signal, and nothing below it. Raises RunEnded, KeeperUnavailable."""
        await self._ask("signal", run_id, number=int(signal.Signals[name]), by=by)

    async def check(self, spawn: Spawn, timeout: float) -> Checked:  # noqa: ASYNC109  it is the command's
        """Have a command started beside a run, as `spawn` says, and hear how it went.

        Raises RunEnded, and KeeperUnavailable when it could not be started just now.
        """
        heard = await self._ask(
            "check",
            spawn.run_id,
            patience=timeout + _PATIENCE,
            argv=spawn.argv,
            env=dict(spawn.env),
            cwd=spawn.cwd,
            timeout=timeout,
            **_manner(spawn),
        )
        return Checked(
            exit_code=heard["exit_code"],
            signal=_signal_name(heard["signal"]) if heard["signal"] else None,
            late=heard["late"],
            said=heard["said"],
        )

    def stop(self, run_id: RunId, by: str) -> None:
        """Begin the stop ladder of a run; `by` goes into its log."""
        self._send(op="stop", run=run_id, by=by)

    def acknowledge(self, run_ids: Iterable[RunId]) -> None:
        """These ends are committed: the keeper may forget them."""
        self._send(op="ack", runs=list(run_ids))

    async def shutdown(self) -> None:
        """Ask the keeper to end every run and leave; what it says comes until the iteration ends."""
        self._send(op="shutdown")
        await self._writer.drain()

    async def upgrade(self, data: Path) -> None:
        """Have the keeper become this program's version, with all its runs; Unusable when it cannot."""
        program = [*_PYTHON, str(_HERE / "main.py")]
        check = await asyncio.create_subprocess_exec(*program, "--check", stderr=asyncio.subprocess.PIPE)
        _, said = await check.communicate()
        if check.returncode:
            raise Unusable(f"this program's keeper does not start: {said.decode(errors='replace').strip()}")
        self._send(op="upgrade", argv=[*program, str(data)])
        for _ in range(_TRIES):
            if not await self.greet():
                raise Unusable(f"the keeper did not survive its upgrade; see {data / 'keeper.log'}")
            if self._is_ours:
                return
            await asyncio.sleep(
                _PAUSE
            )  # the hello came along with the upgrade: the program before answered it
        raise Unusable(f"the keeper goes on as version {self.version}; see {data / 'keeper.log'}")

    @property
    def _is_ours(self) -> bool:
        return (self.version, self.protocol) == (rota.__version__, PROTOCOL)

    async def close(self) -> None:
        """End the connection; the keeper and its runs go on."""
        self._lose_asked()
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # it was gone already

    async def __aiter__(self) -> AsyncIterator[Message]:
        """What the keeper says, until the connection is lost."""
        heard = self._heard
        while heard or await self._read():
            said = heard.popleft()
            message = _message(said)
            if message is not None:
                yield message
            elif "id" in said:
                self._answered(said)
        self._lose_asked()

    @classmethod
    async def connect(cls, data: Path, *, launch: bool, descriptors: int | None = None) -> Self:
        """A connection on which nothing was said yet."""
        for _ in range(_TRIES):
            try:
                sock = address.connect(os.fspath(data / "keeper.sock"))
                sock.setblocking(False)
                return cls(*await asyncio.open_unix_connection(sock=sock))
            except (FileNotFoundError, ConnectionRefusedError) as error:
                if not launch:
                    raise Unusable(f"no keeper runs for {data}") from error
            said = await _launch(data, descriptors)
            if said not in ("ready", "another keeper runs"):
                raise Unusable(f"the keeper for {data} does not start: {said or 'see keeper.log there'}")
            if said != "ready":
                await asyncio.sleep(_PAUSE)  # that one is about to listen, or about to leave
        raise Unusable(f"a keeper holds {data / 'keeper.lock'} but does not answer; see keeper.log there")

    async def greet(self) -> bool:
        """Say hello, and hear what the keeper holds; False when it was gone before it had told all."""
        self._send(
            op="hello",
            protocol=PROTOCOL,
            version=rota.__version__,
            pid=os.getpid(),
            min_free_space=self.min_free_space,
        )
        self.listed, self.notified = [], []
        listing = False
        while (heard := await self._next()) is not None:
            event = heard.get("event")
            if event == "failed":
                raise Unusable(f"the keeper refuses to {heard.get('op')}: {heard.get('message')}")
            if event == "hello":
                self.keeper_id, self.boot_id = heard["keeper"], heard["boot"]
                self.version, self.protocol, self.pid = heard["version"], heard["protocol"], heard["pid"]
                listing = True
            elif event == "listed" and listing:
                return True
            elif listing:
                message = _message(heard)
                if isinstance(message, Started | Ended):
                    self.listed.append(message)
                elif isinstance(message, Notified):
                    self.notified.append(message)
        return False

    async def _ask(
        self, op: str, run_id: RunId, *, patience: float = _PATIENCE, **about: Any
    ) -> dict[str, Any]:
        """Whoever iterates over this link hears the answer; without that none comes."""
        if self.protocol < _ANSWERING:
            raise KeeperUnavailable("the keeper is of an older version, which cannot be asked; restart Rota")
        self._last_id = number = self._last_id + 1
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(op=op, id=number, run=run_id, **about)
        try:
            async with asyncio.timeout(patience):
                heard: dict[str, Any] = await answer
        except TimeoutError:
            raise KeeperUnavailable(f"the keeper has not answered for {patience:g} s") from None
        finally:
            self._asked.pop(number, None)
        if heard["event"] == "input_refused":
            if heard["why"] == "not_now":
                raise KeeperUnavailable("the keeper has no room for it just now")
            raise _refusal(run_id, heard["why"], heard["unread"])
        return heard

    def _lose_asked(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(KeeperUnavailable("the keeper was lost before it had answered"))

    async def _next(self) -> dict[str, Any] | None:
        return self._heard.popleft() if self._heard or await self._read() else None

    async def _read(self) -> bool:
        """Wait until something is heard; False when nothing more will be."""
        while not self._heard:
            try:
                data = await self._reader.read(1 << 18)
                self._heard.extend(map(_decoded, self._lines.feed(data)))
            except (OSError, ProtocolError):
                return False
            if not data:
                return False
        return True

    def _answered(self, heard: dict[str, Any]) -> None:
        answer = self._asked.get(heard["id"])
        if answer is not None and not answer.done():  # else nobody waits for it any more
            answer.set_result(heard)

    def _send(self, **message: Any) -> None:
        self._writer.write(_encoded(message))


async def shutdown_keeper(data: Path) -> bool:
    """Have the keeper of `data` end every run and leave, without a server; False when none runs.

    The ends stay on file for the next server.
    """
    try:
        link = await KeeperLink.connect(data, launch=False)
    except Unusable:
        return False
    await link.shutdown()
    async for _ in link:
        continue
    await link.close()
    return True


def read_endings(data: Path) -> dict[RunId, Ended]:
    """The ends on file; a run whose end no keeper lived to see has none."""
    messages = map(_message, journal.read(os.fspath(data)).values())
    return {message.run_id: message for message in messages if isinstance(message, Ended)}


def read_left(data: Path) -> dict[RunId, Left]:
    """What was left of runs whose keeper died, if anything was, as the next keeper found it."""
    return {
        RunId(run_id): Left(found=tuple(about["left"]), alive=tuple(about["alive"]))
        for run_id, about in journal.read(os.fspath(data)).items()
        if "left" in about
    }


def _particulars(spawn: Spawn) -> dict[str, Any]:
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


def _refusal(run_id: RunId, why: str, unread: int) -> Refused:
    match why:
        case "ended":
            return RunEnded(run_id)
        case "full":
            return InputFull(run_id, unread, MOST_UNREAD)
        case "no_terminal":
            return NoTerminal(run_id)
    return InputClosed(run_id, _CLOSED.get(why, f"its keeper says {why!r}; see keeper.log"))


async def _launch(data: Path, descriptors: int | None) -> str:
    process = await asyncio.create_subprocess_exec(
        *_PYTHON,
        str(_HERE / "launch.py"),
        str(data),
        *(() if descriptors is None else ("--descriptors", str(descriptors))),
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode(errors="replace").strip()


# JSON as the keeper has it from the standard library, at a third of the price. What is no text (the bytes of
# an environment need not be) is left to the keeper's own.


def _encoded(message: dict[str, Any]) -> bytes:
    try:
        return to_json(message) + b"\n"
    except ValueError:
        return encode(message)


def _decoded(line: bytearray) -> dict[str, Any]:
    try:
        message: dict[str, Any] = from_json(line)
    except ValueError:
        return decode(line)
    return message


def _message(heard: dict[str, Any]) -> Message | None:
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
