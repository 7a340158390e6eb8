"""The router: finds the route of a request, or says that there is none, or none for its method.

FastAPI's own would look for middleware, telemetry and redirects that are not here, at more than the price of
all that a short answer needs; and it takes a quarter of a second to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.api import answer
from rota.api.problems import problem_of
from rota.api.refused import MethodNotAllowed, RouteNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from rota.api.refused import ApiError
    from rota.api.route import Route

NO_ROOMS: Mapping[str, ASGIApp] = {}


class Router:
    """Every route, in the order in which they are tried; and rooms of others, each at a path of its own."""

    def __init__(self, routes: Iterable[Route], rooms: Mapping[str, ASGIApp] = NO_ROOMS) -> None:
        self.routes = list(routes)
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered by its route."""
        path, method = scope["path"], scope["method"]
        room = self._rooms.get(path)
        if room is not None:
            await room(scope, receive, send)
            return
        takes: set[str] = set()
        for route in self.routes:
            found = route.path_regex.match(path)
            if found is None or not route.is_open(scope):
                continue
            if method in route.takes:
                scope["router"] = self
                scope["path_params"] = found.groupdict()
                await route.respond(scope, receive, send)
                return
            takes |= route.takes
        refusal: ApiError = MethodNotAllowed(method, path, takes) if takes else RouteNotFound(path)
        await answer.problem(problem_of(refusal), scope["rota.origin"]).send(scope, receive, send)
