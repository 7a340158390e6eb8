"""JSON Schemas (draft 2020-12) of everything that the API answers, as documents of their own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rota.api.shapes.bulk import BulkOutcome
from rota.api.shapes.event import Event, Gap
from rota.api.shapes.input import InputTaken, TerminalSize
from rota.api.shapes.log import LogDone, LogDropped, LogPage
from rota.api.shapes.log_search import LogMatches
from rota.api.shapes.pause import PauseState
from rota.api.shapes.problem import Problem, ProblemType
from rota.api.shapes.reload import Reload
from rota.api.shapes.revision import Revision, Revisions
from rota.api.shapes.run import Run, RunPage
from rota.api.shapes.server import Health, Info, Shutdown
from rota.api.shapes.service import Service, ServicePage
from rota.api.shapes.service_log import ServiceLife, ServiceLogPage
from rota.api.shapes.task import Task, TaskPage
from rota.api.shapes.tick import NextTicks, Why

if TYPE_CHECKING:
    from pydantic import BaseModel

    from rota.api.shapes.shape import Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: Everything that has a schema of its own at `/schemas/{Name}.json`.
SHAPES: dict[str, type[Shape]] = {
    shape.__name__: shape
    for shape in (
        *(BulkOutcome, Event, Gap, Health, Info, InputTaken, LogDone, LogDropped, LogMatches, LogPage),
        *(NextTicks, PauseState, Problem, ProblemType, Reload, Revision, Revisions, Run, RunPage),
        *(Service, ServiceLife, ServiceLogPage, ServicePage, Shutdown, Task, TaskPage, TerminalSize, Why),
    )
}

#: Those of routes that are the Unix socket's alone, of which `/openapi.json` says nothing.
OWNERS = frozenset({"Shutdown"})


@cache
def document(name: str) -> dict[str, Any]:
    """The schema `/schemas/{name}.json`, complete in itself. KeyError when there is none."""
    shape: type[BaseModel] = SHAPES[name]
    return {"$schema": DIALECT, **shape.model_json_schema()}
