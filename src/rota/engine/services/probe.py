"""Probes: an instance is looked at from outside, by a connection or a request."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rota.engine.services.checking import Finding

if TYPE_CHECKING:
    from collections.abc import Coroutine

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})( |\r|\n)")
_GOOD = range(200, 400)
_LONGEST_LINE = 8192


async def tcp(address: str, timeout: float) -> Finding:  # noqa: ASYNC109  it is the check's own
    """Whether a connection is accepted at `host:port`."""
    host, _, port = address.rpartition(":")
    return await _in_time(_connect(host.strip("[]"), int(port)), address, timeout)


async def http(url: str, timeout: float) -> Finding:  # noqa: ASYNC109  likewise
    """Whether a GET is answered with a status from 200 to 399. Certificates are not checked."""
    return await _in_time(_get(url), url, timeout)


async def _in_time(probe: Coroutine[None, None, Finding], what: str, seconds: float) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            return await probe
    except TimeoutError:
        return Finding(passed=False, message=f"{what} has not answered within {seconds:g} s")
    except ssl.SSLError as error:
        return Finding(passed=False, message=f"{what}: {error.reason or error}")
    except OSError as error:
        return Finding(passed=False, message=f"{what}: {_reason(error)}")
    except ValueError as error:  # a line without end, a port that is none
        return Finding(passed=False, message=f"{what}: {error}")


def _reason(error: OSError) -> str:
    """Of several addresses that were tried, asyncio says all; one reason is enough."""
    return (error.strerror or str(error)).partition("Multiple exceptions: ")[0] or "it cannot be connected to"


async def _connect(host: str, port: int) -> Finding:
    _, writer = await asyncio.open_connection(host, port)
    writer.transport.abort()
    return Finding(passed=True)


async def _get(url: str) -> Finding:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    context = _unchecked() if secure else None
    name = parts.hostname if secure else None
    reader, writer = await asyncio.open_connection(
        parts.hostname, port, ssl=context, server_hostname=name, limit=_LONGEST_LINE
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        writer.write(f"{head}User-Agent: rota\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
    finally:
        with contextlib.suppress(OSError):
            writer.transport.abort()
    status = _STATUS.match(line)
    if status is None:
        return Finding(passed=False, message=f"{url} does not answer in HTTP")
    code = int(status[1])
    return Finding(passed=code in _GOOD, message=None if code in _GOOD else f"{url} answers {code}")


def _unchecked() -> ssl.SSLContext:
    """An instance of one's own is asked whether it lives; nothing secret is sent to it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
