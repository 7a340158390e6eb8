"""The API as one ASGI application: every route, behind the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Response

from rota import __version__
from rota.api import answer
from rota.api.door import Door
from rota.api.problems import internal_error, problem_of
from rota.api.refused import RouteNotFound
from rota.api.routes import (
    about,
    follow_events,
    get_run,
    get_task,
    health,
    info,
    list_runs,
    list_tasks,
    read_log,
    shutdown,
    stop,
    trigger,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from rota.operations.rota import Rota

#: In the order of the documentation.
VERBS = (
    trigger, list_tasks, get_task,
    list_runs, get_run, stop, read_log,
    follow_events,
    health, info, shutdown, about,
)  # fmt: skip


def create_app(rota: Rota, *, token: str | None) -> FastAPI:
    """The application; `token` is None when ROTA_AUTH=off."""
    app = FastAPI(
        title="Rota",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={Exception: _failed},
    )
    for verb in VERBS:
        app.router.routes.extend(verb.routes.routes)
    app.router.default = _not_found
    app.add_middleware(Door, token=token, url=rota.url)
    app.state.rota = rota
    return app


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        refusal = answer.problem(problem_of(RouteNotFound(scope["path"])), scope["rota.origin"])
        await refusal.send(scope, receive, send)


async def _failed(request: Request, _error: Exception) -> Response:
    # The door or the router itself broke. What broke is raised again after this, and logged by the server.
    it = answer.problem(internal_error(), str(request.scope.get("rota.origin", "")))
    response = Response(it.body, it.status)
    response.raw_headers = [(b"content-length", b"%d" % len(it.body)), *it.headers]
    return response
