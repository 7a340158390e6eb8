"""One request to a server's Unix socket, and its answer as it comes (HTTP/1.1).

`http.client` would do, but it loads what e-mail and TLS need: a tenth of the time in which a command starts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpResponseParser

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Mapping

_PIECE = 1 << 16
_HEADER = re.compile(r"[^\0\r\n]*")


class Broken(Exception):
    """The server went away before its answer was complete, or what it sent is no answer."""


class Answer:
    """An answer whose head is here. Reading raises Broken and OSError."""

    def __init__(self, sock: socket.socket) -> None:
        self.headers: dict[str, str] = {}  #: by name, in small letters
        self._sock = sock
        self._parser = HttpResponseParser(self)
        self._has_head = self._is_complete = False
        self._arrived: list[bytes] = []
        while not self._has_head:
            self._take()
        self.status = self._parser.get_status_code()

    def pieces(self) -> Iterator[bytes]:
        """The body, as it comes."""
        while self._arrived or not self._is_complete:
            if self._arrived:
                piece, self._arrived = b"".join(self._arrived), []
                yield piece
            else:
                self._take()

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has found a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The parser has found the end of the head."""
        self._has_head = True

    def on_body(self, piece: bytes) -> None:
        """The parser has found some of the body."""
        self._arrived.append(piece)

    def on_message_complete(self) -> None:
        """The parser has found the end."""
        self._is_complete = True

    def _take(self) -> None:
        data = self._sock.recv(_PIECE)
        if not data:
            raise Broken("the connection was closed in the middle of an answer")
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise Broken(f"this is not HTTP: {error}") from error


def ask(
    sock: socket.socket, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> Answer:
    """Send a request, and wait for the head of its answer. `path` is quoted already.

    The connection is the caller's to close. Raises Broken and OSError, and ValueError for a header that
    holds the end of its line.
    """
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    for name, value in headers.items():
        if not _HEADER.fullmatch(value):
            raise ValueError(f"the header {name} cannot be {value!r}")
        lines.append(f"{name}: {value}")
    if body is not None or method == "POST":
        lines.append(f"Content-Length: {len(body or b'')}")
    sock.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + (body or b""))
    return Answer(sock)


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a body, each once it is complete, with its newline; the last may have none."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest
