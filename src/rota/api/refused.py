"""What HTTP itself can have against a request, before it means anything to Rota.

RotaError
└── ApiError            RouteNotFound · MethodNotAllowed · MalformedBody · BodyTooLarge · UnsupportedContent
                        RangeNotSatisfiable
                        TokenNeeded · HostRefused · OriginRefused
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most that a body may have: 1 MiB.
LARGEST_BODY = 1 << 20


class ApiError(RotaError):
    """A request that no operation sees."""

    problem: ClassVar[str]  #: the name of its kind in `rota.api.problems`
    headers: Sequence[tuple[bytes, bytes]] = ()


class RouteNotFound(ApiError):
    """Nothing is served at this path."""

    problem = "route-not-found"

    def __init__(self, path: str) -> None:
        super().__init__(f"there is nothing at {path}; /openapi.json lists every route")


class MethodNotAllowed(ApiError):
    """The path is there, for other methods."""

    problem = "method-not-allowed"

    def __init__(self, method: str, path: str, allowed: Iterable[str]) -> None:
        allow = ", ".join(sorted(allowed))
        super().__init__(f"{path} does not take {method}; it takes {allow}")
        self.headers = ((b"allow", allow.encode()),)


class MalformedBody(ApiError):
    """The body is not JSON."""

    problem = "malformed-request"

    def __init__(self, why: str) -> None:
        super().__init__(f"the body is not JSON: {why}")


class BodyTooLarge(ApiError):
    """The body is over 1 MiB; the rest of it is not read."""

    problem = "body-too-large"
    headers = ((b"connection", b"close"),)

    def __init__(self) -> None:
        super().__init__(f"the body is larger than {LARGEST_BODY} bytes")


class UnsupportedContent(ApiError):
    """The body is of a type that is not read here."""

    problem = "unsupported-content"
    headers = ((b"accept-post", b"application/json"),)

    def __init__(self, given: str) -> None:
        said = repr(given) if given else "missing"
        super().__init__(f"the content type is {said}; send application/json (in UTF-8, not compressed)")


class TokenNeeded(ApiError):
    """No token, or a wrong one."""

    problem = "token-needed"
    headers = ((b"www-authenticate", b'Bearer realm="rota"'),)

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}; send the content of the data folder's file `token` as a bearer token")


class HostRefused(ApiError):
    """The request is addressed to another machine (as in DNS rebinding)."""

    problem = "host-refused"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this server does not answer to the name {host!r}; use 127.0.0.1, localhost or [::1]"
        )


class OriginRefused(ApiError):
    """A page that this server did not serve makes the request."""

    problem = "origin-refused"

    def __init__(self, origin: str) -> None:
        super().__init__(f"pages of the origin {origin!r} may not use this server")


class RangeNotSatisfiable(ApiError):
    """Nothing of the range that was asked for is there."""

    problem = "range-not-satisfiable"

    def __init__(self, start: int, stop: int) -> None:
        there = f"bytes {start} to {stop - 1} are" if start < stop else "nothing is"
        super().__init__(f"nothing of this range is there: {there}")
        self.headers = ((b"content-range", b"bytes */%d" % stop),)
