"""One server's connection to the keeper. Standard library only."""

from __future__ import annotations

import socket

from rota.keeper.loop import READ, WRITE
from rota.keeper.protocol import Lines, ProtocolError, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.loop import Loop


class Connection:
    """Reads messages, and sends what it is given without ever waiting."""

    def __init__(
        self, loop: Loop, sock: socket.socket, heard: Callable[[Connection, dict[str, Any]], None]
    ) -> None:
        self._loop = loop
        self._heard = heard
        self._sock = sock
        self.lines = Lines()
        self.out = bytearray()  #: not yet taken by the kernel
        self.is_server = False  #: it has said hello
        self.closed = False
        self._blocked = False
        sock.setblocking(False)
        loop.watch(sock.fileno(), READ, self.turn)

    def fileno(self) -> int:
        """Its descriptor."""
        return self._sock.fileno()

    def turn(self) -> None:
        """Read and write as much as can be."""
        self._read_once()
        self.flush()

    def read(self) -> None:
        """Hear everything that has arrived."""
        while self._read_once():
            pass

    def _read_once(self) -> bool:
        """Hear what one read gives; False when there is no more for now."""
        if self.closed:
            return False
        try:
            data = self._sock.recv(1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            return False
        try:
            for line in self.lines.feed(data):
                self._heard(self, decode(line))
        except ProtocolError:
            self.close()
        return True

    def send(self, message: dict[str, Any]) -> None:
        """Send one message, at the end of this turn."""
        self.send_line(encode(message))

    def send_line(self, line: bytes) -> None:
        """Send one message that is encoded already."""
        if not self.closed:
            if not self.out:
                self._loop.soon(self.flush)
            self.out += line

    def flush(self) -> None:
        """Give the kernel what it takes; the rest goes when it can take more."""
        if self.closed or not self.out:
            return
        try:
            sent = self._sock.send(self.out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self.out[:sent]
        if bool(self.out) != self._blocked:
            self._blocked = bool(self.out)
            self._loop.watch(self.fileno(), READ | WRITE if self._blocked else READ, self.turn)

    def close(self) -> None:
        """Close it; closing twice is fine."""
        if not self.closed:
            self.closed = True
            self._loop.forget(self.fileno())
            self._sock.close()
