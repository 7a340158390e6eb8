"""What goes back: an object with its schema, a problem, or a stream; sent as ASGI messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rota.api import wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from rota.api.problems import Problem

JSON = b"application/json"
PROBLEM = b"application/problem+json"


class Answer(Protocol):
    """Anything that can be sent."""

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and return when it is out or its client has gone."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is complete."""

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]]

    async def send(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it at once; a HEAD request gets the headers alone."""
        length = (b"content-length", b"%d" % len(self.body))
        await send({"type": "http.response.start", "status": self.status, "headers": [length, *self.headers]})
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})


def described(
    shape: str,
    body: Mapping[str, Any],
    origin: str,
    *,
    status: int = 200,
    media: bytes = JSON,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Whole:
    """An object of the API, which names its schema in `$schema` and `Link`."""
    path = f"/schemas/{shape}.json"
    return Whole(
        status,
        wire.encode({"$schema": origin + path, **body}),
        [
            (b"content-type", media),
            (b"link", f'<{path}>; rel="describedBy"'.encode()),
            *headers,
        ],
    )


def problem(it: Problem, origin: str) -> Whole:
    """A problem (RFC 9457)."""
    return described(
        "Problem", it.as_json(), origin, status=it.kind.status, media=PROBLEM, headers=it.headers
    )
