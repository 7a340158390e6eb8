"""Where the server listens: the data folder's Unix socket, and a port of the machine's own address."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import structlog

from rota.keeper import address
from rota.model.error import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = structlog.get_logger(__name__)

SOCKET = "rota.sock"

#: Connections that may wait to be accepted; the kernel has its own bound (net.core.somaxconn).
BACKLOG = 4096


@contextlib.contextmanager
def unix(data: Path) -> Iterator[socket.socket]:
    """The owner's door. A socket that an earlier server left is replaced: the lock says that it is dead."""
    path = os.fspath(data / SOCKET)
    try:
        sock = address.listen(path, BACKLOG)
    except OSError as error:
        raise Unusable(f"the socket {path} cannot be made: {error.strerror}") from error
    try:
        yield sock
    finally:
        sock.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108  a path, as everywhere in this file


@contextlib.contextmanager
def tcp(host: str, port: int, *, or_any: bool = False) -> Iterator[list[socket.socket]]:
    """Sockets bound to every loopback address of `host`, all at one port. Raises Unusable.

    `or_any`: when that port is in use, a free one.
    """
    if or_any and _in_use(host, port):
        log.warning("the port is in use: another one is taken", port=port)
        port = 0
    with contextlib.ExitStack() as sockets:
        bound: list[socket.socket] = []
        for family, where in _addresses(host, port):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.callback(sock.close)
            at = (where, port_of(bound) if bound else port)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(at)
                sock.listen(BACKLOG)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL and host == "localhost":
                    continue  # the name has an address of a family that this machine has switched off
                raise Unusable(_why_not(error, host, at[1])) from error
            bound.append(sock)
        if not bound:
            raise Unusable(f"{host!r} is no address of this machine; use 127.0.0.1")
        yield bound


def port_of(sockets: list[socket.socket]) -> int:
    """The port that they have."""
    port: int = sockets[0].getsockname()[1]
    return port


def url_of(host: str, port: int) -> str:
    """How a client on this machine says it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _in_use(host: str, port: int) -> bool:
    for family, where in _addresses(host, port):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((where, port))
                sock.listen()
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return True
    return False


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unusable(f"{host!r} is no address of this machine ({error}); use 127.0.0.1") from error
    addresses = [(family, str(where[0])) for family, _, _, _, where in found]
    for _, where in addresses:
        if not ip_address(where).is_loopback:
            raise Unusable(
                f"Rota listens to this machine only, and {host!r} is {where}; use 127.0.0.1, and reach it "
                "from elsewhere through a tunnel (ssh -L)"
            )
    return list(dict.fromkeys(addresses))


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program; end that, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}; choose one from 1024 on with --port"
    return f"port {port} on {host} cannot be listened on: {error.strerror}; choose another with --port"
