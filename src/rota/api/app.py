"""The API as one ASGI application: every route, behind the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from rota import __version__
from rota.api import answer
from rota.api.door import Door
from rota.api.problems import problem_of
from rota.api.refused import RouteNotFound
from rota.api.routes import (
    about,
    follow_events,
    follow_log,
    get_run,
    get_task,
    health,
    info,
    list_runs,
    list_tasks,
    read_lines,
    read_log,
    search_logs,
    shutdown,
    stop,
    trigger,
)

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from rota.operations.rota import Rota

#: In the order of the documentation.
VERBS = (
    trigger, list_tasks, get_task,
    list_runs, get_run, stop,
    read_lines, read_log, follow_log, search_logs,
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
    )
    for verb in VERBS:
        app.router.routes.extend(verb.routes.routes)
    app.router.default = _not_found
    app.state.rota = rota
    # In the place of FastAPI's own layers: for routes that answer their errors themselves they do nothing, at
    # a sixth of a request's cost.
    app.middleware_stack = Door(app.router, token=token, url=rota.url)
    return app


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        refusal = answer.problem(problem_of(RouteNotFound(scope["path"])), scope["rota.origin"])
        await refusal.send(scope, receive, send)
