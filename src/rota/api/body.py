"""Reads a request's body: JSON, at most 1 MiB of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rota.api.call import ClientGone
from rota.api.refused import LARGEST_BODY, BodyTooLarge, UnsupportedContent

if TYPE_CHECKING:
    from rota.api.call import Call

#: So much of a body that is too large is read and thrown away: who closes a connection on bytes that were not
#: read takes the answer away from its client.
DRAINED = 16 << 20
#: And for so many seconds.
DRAINING = 5.0


async def read_body(call: Call) -> bytes:
    """The body, which may be empty. Raises BodyTooLarge, UnsupportedContent, ClientGone."""
    declared = call.given(b"content-length")
    if declared in ([], ["0"]) and not call.given(b"transfer-encoding"):
        return b""
    if any(len(each) < 20 and each.isdecimal() and int(each) > LARGEST_BODY for each in declared):
        if not call.given(b"expect"):  # who asks first has sent nothing yet
            await _drain(call)
        raise BodyTooLarge
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(piece)
        if size > LARGEST_BODY:
            if more:
                await _drain(call)
            raise BodyTooLarge
        pieces.append(piece)
    if size:
        _check_type(call)
    return b"".join(pieces)


def _check_type(call: Call) -> None:
    given = call.given(b"content-type")
    encoded = ", ".join(call.given(b"content-encoding")).strip().lower()
    if encoded not in ("", "identity"):
        raise UnsupportedContent(f"{', '.join(given)}, compressed with {encoded}")
    kind, *parameters = [each.strip().lower() for each in ", ".join(given).split(";")]
    charsets = {each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")}
    if kind != "application/json" or not charsets <= {"utf-8", "utf8"}:
        raise UnsupportedContent(", ".join(given))


async def _drain(call: Call) -> None:
    size = 0
    try:
        async with asyncio.timeout(DRAINING):
            while size < DRAINED:
                message = await call.receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
