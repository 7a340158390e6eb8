"""The server's end of the keeper's socket: asks, and hears, in the words of `rota.keeper.messages`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from typing import TYPE_CHECKING, Any

import rota
from rota.keeper.messages import (
    Ended,
    Notified,
    Started,
    decode,
    encode,
    find_particulars,
    read_checked,
    read_message,
    read_refusal,
    write_check,
    write_input,
    write_spawn,
)
from rota.keeper.protocol import PROTOCOL, Lines, ProtocolError
from rota.model.error import KeeperUnavailable, Unusable
from rota.model.input import InputState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from rota.keeper.messages import Checked, Message, Spawn
    from rota.model.input import Input
    from rota.model.run import RunId

_ANSWERING = 2  # the first protocol in which a keeper can be asked
_LIMITING = 3  # the first in which it knows limits
_PATIENCE = 10.0  # seconds that an answer may take


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
        self.listed: list[Started | Ended] = []  #: every run that the keeper held at hello
        self.notified: list[Notified] = []  #: what those had said of themselves by then

    def spawn(self, spawn: Spawn) -> None:
        """Hand a run over. A second time for the same run changes nothing. Raises TooLong."""
        particulars = find_particulars(spawn)
        if particulars and self.protocol < _ANSWERING:  # it would start it, as another user for instance
            raise Unusable(f"the keeper is of an older version, and does not know {', '.join(particulars)}")
        if spawn.limits and self.protocol < _LIMITING:
            raise Unusable("the keeper is of an older version, and does not know limits")
        self._writer.write(encode(write_spawn(spawn, particulars)))

    async def send_input(self, run_id: RunId, given: Input, by: str) -> int:
        """Send a run input, all of it or nothing; how many bytes it has not read then.

        Raises RunEnded, InputClosed, InputFull, NoTerminal, KeeperUnavailable.
        """
        return int((await self._ask("input", run_id, **write_input(given, by)))["unread"])

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

        Raises RunEnded, TooLong, and KeeperUnavailable when it could not be started just now.
        """
        about = write_check(spawn, timeout)
        return read_checked(await self._ask("check", spawn.run_id, patience=timeout + _PATIENCE, **about))

    def stop(self, run_id: RunId, by: str) -> None:
        """Begin the stop ladder of a run; `by` goes into its log."""
        self._send(op="stop", run=run_id, by=by)

    def acknowledge(self, run_ids: Iterable[RunId]) -> None:
        """These ends are committed: the keeper may forget them."""
        self._send(op="ack", runs=list(run_ids))

    def leave_free(self, min_free_space: int) -> None:
        """From now on output leaves so many bytes of the disk free."""
        self._send(op="room", min_free_space=min_free_space)

    async def shutdown(self) -> None:
        """Ask the keeper to end every run and leave; what it says comes until the iteration ends."""
        self._send(op="shutdown")
        await self._writer.drain()

    def upgrade(self, argv: list[str]) -> None:
        """Have the keeper go on as this program; a hello after it is answered by whoever is there then."""
        self._send(op="upgrade", argv=argv)

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
            message = read_message(said)
            if message is not None:
                yield message
            elif "id" in said:
                self._answered(said)
        self._lose_asked()

    async def greet(self) -> bool:
        """Say hello, and hear what the keeper holds; False when it was gone before it had told all."""
        self._send(
            op="hello",
            protocol=PROTOCOL,
            version=rota.__version__,
            pid=os.getpid(),
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
                message = read_message(heard)
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
            raise read_refusal(run_id, heard["why"], heard["unread"])
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
                self._heard.extend(map(decode, self._lines.feed(data)))
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
        self._writer.write(encode(message))
