"""The door: which way a request came, whether it may enter, and what protects the answers."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

import structlog

from rota.api import answer
from rota.api.problems import internal_error, problem_of
from rota.api.refused import ApiError, HostRefused, OriginRefused, TokenNeeded
from rota.auth.caller import Way

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rota.operations.rota import Rota

log = structlog.get_logger(__name__)

#: What needs no token: whether all is well, and the page that asks for the token.
PUBLIC = frozenset({"/health", "/docs"})

_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

PROTECTION = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)


class Door:
    """In front of every route. The Unix socket is its owner's: it asks for nothing there.

    Over TCP the host has to be a loopback name and the origin, if there is one, the host's own: or else any
    page of the web could speak to this server through a browser on this machine. `token` is None when
    ROTA_AUTH=off.
    """

    def __init__(self, app: ASGIApp, rota: Rota, *, token: str | None) -> None:
        self._app = app
        self._rota = rota
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        answering = False

        async def protected(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                given = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(each for each in PROTECTION if each[0] not in given),
                ]
            await send(message)

        scope["rota"] = self._rota
        scope["rota.origin"] = self._rota.url
        scope["rota.by_socket"] = came_by_socket(scope)
        scope["rota.way"] = self._way(scope)
        try:
            if not scope["rota.by_socket"]:
                self._check(scope)
        except ApiError as error:
            refusal = answer.problem(problem_of(error), scope["rota.origin"])
            await refusal.send(scope, receive, protected)
            return
        try:
            await self._app(scope, receive, protected)
        except Exception:  # the router or an answer itself broke: the server goes on, its log tells
            log.exception("a request could not be answered", method=scope["method"], path=scope["path"])
            if answering:
                raise  # half an answer is out: the connection has to go
            await answer.problem(internal_error(), scope["rota.origin"]).send(scope, receive, protected)

    def _way(self, scope: Scope) -> Way:
        if scope["rota.by_socket"]:
            return Way.SOCKET
        return Way.OPEN if self._token is None else Way.BEARER

    def _check(self, scope: Scope) -> None:
        hosts, origins, tokens = [], [], []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
            elif name == b"authorization":
                tokens.append(value)
        host = b", ".join(hosts).decode("latin-1")
        if not _LOOPBACK.fullmatch(host):
            raise HostRefused(host)
        scope["rota.origin"] = f"http://{host.lower()}"
        for origin in origins:
            if origin.decode("latin-1").lower() != scope["rota.origin"]:
                raise OriginRefused(origin.decode("latin-1"))
        if self._token is not None and scope["path"] not in PUBLIC:
            self._check_token(self._token, tokens)

    def _check_token(self, token: bytes, given: list[bytes]) -> None:
        if not given:
            raise TokenNeeded("the request carries no token")
        scheme, _, value = given[0].partition(b" ")
        if len(given) > 1 or scheme.lower() != b"bearer":
            raise TokenNeeded("the Authorization header is not one bearer token")
        if not hmac.compare_digest(value.strip(), token):
            raise TokenNeeded("the token is not this server's")


def came_by_socket(scope: Scope) -> bool:
    """Whether the listening end is a path: an address of TCP always has a port."""
    server = scope.get("server")
    return server is not None and server[1] is None and str(server[0]).startswith("/")
