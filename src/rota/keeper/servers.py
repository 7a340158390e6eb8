"""The servers at the keeper's socket: which is let in, heard, greeted and told. Standard library only."""

from __future__ import annotations

import errno

from rota.keeper.connection import Connection
from rota.keeper.loop import READ
from rota.keeper.protocol import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.child import Child
    from rota.keeper.loop import Loop


class Servers:
    """A server, and for a moment the one before it, of which not all may be read yet."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        *,
        heard: Callable[[Connection, dict[str, Any]], None],
        introduce: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._heard = heard
        self._introduce = introduce
        self.listener = listener
        self.connections: list[Connection] = []
        self._greeted: list[Connection] = []  # whose hello waits for older connections to end

    def listen(self) -> None:
        """Let in whoever comes."""
        self._loop.watch(self.listener.fileno(), READ, self._accept)

    def _accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._loop.forget(self.listener.fileno())
                self._loop.after(0.1, self.listen)
            return
        self.connections.append(Connection(self._loop, sock, self._heard))

    def greet(self, connection: Connection) -> None:
        """It has said hello: introduce the keeper to it, once all that servers before it sent is heard."""
        connection.is_server = True
        self._greeted.append(connection)
        self._answer_hello()

    def _answer_hello(self) -> None:
        # An older server is dead, but what it sent last may not be read yet: a spawn among it must be seen
        # before the list of runs is given, or the new server would believe that it never arrived.
        while self._greeted:
            connection = self._greeted[0]
            for older in [other for other in self.connections if other.is_server and other is not connection]:
                if older not in self._greeted:
                    older.read()
            self.forget_closed()
            if any(other.is_server and other not in self._greeted for other in self.connections):
                self._loop.after(0.01, self._answer_hello)
                return
            self._greeted.pop(0)
            if not connection.closed:
                self._introduce(connection)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message to the server, if there is one."""
        self.tell_line(encode(message))

    def tell_line(self, line: bytes) -> None:
        """Send a message that is encoded already."""
        for connection in self.connections:
            if connection.is_server and connection not in self._greeted:
                connection.send_line(line)

    @property
    def anybody_listens(self) -> bool:
        """Whether there is a server."""
        return any(other.is_server and not other.closed for other in self.connections)

    def forget_closed(self) -> None:
        """Keep only connections that are open."""
        self.connections = [other for other in self.connections if not other.closed]


def notified(child: Child) -> dict[str, Any]:
    """What a run has said of itself so far."""
    said = child.notices.said() if child.notices is not None else {}
    return {"event": "notified", "run": child.run_id, "attempt": child.attempt, **said}


def started(child: Child) -> dict[str, Any]:
    """A run's main process lives."""
    about = {"run": child.run_id, "attempt": child.attempt, "pid": child.pid, "at": child.start_at}
    return {"event": "started", **about, "limits": child.limited}
