"""A load generator: one thread, raw sockets, HTTP/1.1 kept alive, the same for every server."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

Address = Path | tuple[str, int]
"""A Unix socket, or a host and a port."""


class BadAnswer(Exception):
    """A server answered something that cannot be counted."""


@dataclass(kw_only=True, slots=True)
class Burst:
    """What came back: seconds per answer, and the bodies for a check after the clock has stopped."""

    elapsed: float
    latencies: list[float]
    bodies: list[bytes]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.elapsed


@dataclass(kw_only=True, slots=True)
class _Caller:
    """One keep-alive connection with at most one request in flight."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """The body, once all of it is here."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise BadAnswer("the server closed the connection in the middle of a request")
        self.received += chunk
        head, gap, body = bytes(self.received).partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return None
        self.received.clear()
        if not head.startswith(b"HTTP/1.1 20"):
            raise BadAnswer(f"{head.splitlines()[0].decode()}: {body[:300].decode(errors='replace')}")
        return body


def get(path: str) -> bytes:
    """A GET, as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, *, token: str | None = None) -> bytes:
    """A POST without a body, as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Length: 0"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def drive(
    address: Address, request: bytes, *, clients: int, seconds: float | None = None, count: int | None = None
) -> Burst:
    """Send one request over and over from `clients` connections, for some seconds or a number of times.

    An answer that comes after the last second is read, and its body is checked, but it is not counted.
    """
    callers = {
        caller.socket.fileno(): caller
        for caller in (_Caller(socket=connection_to(address)) for _ in range(clients))
    }
    poll = select.epoll()
    for descriptor in callers:
        poll.register(descriptor, select.EPOLLIN)
    burst = Burst(elapsed=0.0, latencies=[], bodies=[])
    try:
        begun = time.perf_counter()
        until = begun + seconds if seconds is not None else None
        left = (count if count is not None else 1 << 62) - clients
        for caller in callers.values():
            caller.send(request)
        in_flight = clients
        while in_flight:
            ready = poll.poll(60)
            if not ready:
                raise BadAnswer("no answer came for a minute")
            for descriptor, _ in ready:
                caller = callers[descriptor]
                body = caller.answer()
                if body is None:
                    continue
                now = time.perf_counter()
                burst.bodies.append(body)
                if until is None or now <= until:
                    burst.latencies.append(now - caller.sent_at)
                    burst.elapsed = now - begun
                if left > 0 and (until is None or now < until):
                    left -= 1
                    caller.send(request)
                else:
                    in_flight -= 1
        if seconds is not None:
            burst.elapsed = seconds
    finally:
        poll.close()
        for caller in callers.values():
            caller.socket.close()
    return burst


def connection_to(address: Address) -> socket.socket:
    """A connection that gives up after a minute."""
    if isinstance(address, Path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(address))
    else:
        connection = socket.create_connection(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(60)
    return connection


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BadAnswer(f"an answer without Content-Length: {head[:200]!r}")
