"""The front: what HTTP asks of MCP before the protocol begins, and sessions that need no memory.

Clients of the handshake era carry their session's id, and it is all that there is of the session: the
client's name, and a number that tells two of one name apart. So any server of this folder knows them, also
one that was started a moment ago. The modern era has no sessions.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Any

from mcp_types import INVALID_REQUEST
from starlette.responses import JSONResponse, Response

from rota.mcp.early import answered_early
from rota.mcp.envelope import NoMessage, message_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION = b"mcp-session-id"

#: The most that a body may have: a megabyte of input, every byte of it escaped, and room beside it.
LARGEST_BODY = 8 << 20

_TOO_LARGE = NoMessage(
    code=INVALID_REQUEST, sentence=f"the request is larger than {LARGEST_BODY} bytes; send less at once"
)

_LONGEST_NAME = 100


class Front:
    """In front of the SDK's application, which keeps nothing between two requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["method"] != "POST":
            # There is no stream beside those of the requests, and no session to end.
            refused = Response(status_code=405, headers={"Allow": "POST"})
            await refused(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if headers.get(b"mcp-method"):
            await answered_early(self._app, scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            refused = JSONResponse(_TOO_LARGE.as_answer(), status_code=413, headers={"Connection": "close"})
            await refused(scope, receive, send)
            return
        message = message_of(body)
        if isinstance(message, NoMessage):  # of which the SDK says all that its parser does, at length
            await JSONResponse(message.as_answer(), status_code=400)(scope, receive, send)
            return
        name = None if SESSION in headers else _opening(message)
        await self._app(scope, _again(body, receive), _with_session(send, name))


def client_of(session: str | None) -> str | None:
    """The name of the client whose session's id this is; None when it is of another make."""
    if session is None:
        return None
    try:
        content = base64.b64decode(session + "=" * (-len(session) % 4), altchars=b"-_", validate=True)
        name = content[8:].decode()
    except (binascii.Error, ValueError):
        return None
    return readable_name(name)


def readable_name(name: str) -> str | None:
    """A client's name as it may stand in a sentence."""
    return "".join(each for each in name[:_LONGEST_NAME] if each.isprintable()).strip() or None


def _session(name: str) -> bytes:
    return base64.urlsafe_b64encode(
        secrets.token_bytes(8) + name[:_LONGEST_NAME].encode(errors="replace")
    ).rstrip(b"=")


def _opening(message: Mapping[str, Any]) -> str | None:
    """The name that a client introduces itself with; None when this is no introduction."""
    if message.get("method") != "initialize":
        return None
    try:
        return str(message["params"]["clientInfo"]["name"])
    except (TypeError, KeyError):
        return None


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is larger than a body may be."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        if size > LARGEST_BODY:
            return None
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    told = False

    async def received() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received


def _with_session(send: Send, name: str | None) -> Send:
    if name is None:
        return send

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            message["headers"] = [*message["headers"], (SESSION, _session(name))]
        await send(message)

    return sent
