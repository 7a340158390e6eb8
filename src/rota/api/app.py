"""The API as one ASGI application: every route, behind the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.api.door import Door
from rota.api.router import NO_ROOMS, Router
from rota.api.routes import (
    about,
    bulk,
    delete,
    follow_events,
    follow_log,
    follow_service_log,
    get_run,
    get_service,
    get_task,
    health,
    info,
    list_jobs,
    list_runs,
    list_services,
    list_tasks,
    next_ticks,
    pause,
    read_lines,
    read_log,
    read_service_log,
    reload,
    rerun,
    resize,
    restart_service,
    restore,
    resume,
    revisions,
    scale_service,
    search_logs,
    send_input,
    shutdown,
    signal_service,
    start_job,
    start_service,
    stop,
    stop_service,
    trigger,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from rota.operations.rota import Rota

#: In the order of the documentation.
VERBS = (
    trigger, list_tasks, get_task, revisions, why, next_ticks, pause, resume,
    start_job, list_jobs,
    list_services, get_service, start_service, stop_service, restart_service, scale_service, signal_service,
    read_service_log, follow_service_log,
    bulk, list_runs, get_run, stop, rerun, delete, restore, send_input, resize,
    read_lines, read_log, follow_log, search_logs,
    follow_events,
    health, info, reload, shutdown, about,
)  # fmt: skip


def create_app(rota: Rota, *, token: str | None, rooms: Mapping[str, ASGIApp] = NO_ROOMS) -> Door:
    """The application, with what others serve behind the same door; `token` is None when ROTA_AUTH=off."""
    router = Router((route for verb in VERBS for route in verb.routes), rooms)
    return Door(router, rota, token=token)
