"""The addresses that Rota may listen on: those of the machine itself."""

from __future__ import annotations

from ipaddress import ip_address

from rota.timing.unreadable import Unreadable


def loopback(host: str) -> str:
    """The same host, if it is a loopback address or name; Unreadable otherwise."""
    if host == "localhost":
        return host
    try:
        if ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise Unreadable(
        f'"{host}" is not a loopback address; Rota has no accounts yet, so it listens to this machine alone',
        '"127.0.0.1", "::1" or "localhost"',
    )
