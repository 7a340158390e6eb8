"""The OpenAPI document: FastAPI's own, with the schemas and the security that it does not know of."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Header, Path, Query
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from rota import __version__
from rota.api.door import PUBLIC
from rota.api.schemas import OWNERS, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.api.route import Route


ABOUT = """\
Rota runs scheduled tasks and keeps the truth about every run.

Over TCP every request carries the token that is in the file `token` of the data folder; the Unix socket
`rota.sock` beside it needs none. Times are RFC 3339 in UTC, durations are seconds, ids are UUIDv7. Every
object names its JSON Schema in `$schema`. Every error is `application/problem+json` (RFC 9457), and `errors`
names each fault of a request.
"""

TAGS = [
    {"name": "tasks", "description": "Definitions, and starting them."},
    {"name": "services", "description": "Definitions that are kept alive, and how they stand."},
    {"name": "jobs", "description": "Commands that stand in no file."},
    {"name": "runs", "description": "What was started, and how it went."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "server", "description": "The server itself."},
]


def openapi(routes: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes that are for everybody."""
    document = get_openapi(
        title="Rota",
        version=__version__,
        openapi_version="3.1.0",
        description=ABOUT,
        routes=[_documented(route) for route in routes if route.include_in_schema],
        tags=TAGS,
    )
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **_schemas()}
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "The content of the data folder's `token`.",
        }
    }
    document["security"] = [{"token": []}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path in PUBLIC:
                del operation["responses"]["401"]
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _given(parameter["schema"])
    return document


def _documented(route: Route) -> APIRoute:
    """The route as FastAPI has it, which tells by a marker what a parameter is, and not by its name."""

    async def endpoint(**_: Any) -> None: ...

    endpoint.__doc__ = route.endpoint.__doc__
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [_marked(route, each) for each in route.parameters.values() if each.name not in ("call", "_call")]
    )
    return APIRoute(
        route.path,
        endpoint,
        methods=[route.method],
        generate_unique_id_function=lambda made: made.name,
        **route.description,
    )


def _marked(route: Route, parameter: inspect.Parameter) -> inspect.Parameter:
    kind = parameter.annotation
    marker: Any = None
    if parameter.name in route.in_path:
        said = FieldInfo.from_annotation(kind)
        marker = Path(description=said.description, examples=said.examples)
    elif parameter.name == "query":
        marker = Query()
    elif parameter.name == "headers":
        marker = Header()
    return parameter if marker is None else parameter.replace(annotation=Annotated[kind, marker])


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: when it is given, it is not null."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}


@cache
def _schemas() -> dict[str, Any]:
    _, schemas = models_json_schema(
        [(shape, "validation") for name, shape in SHAPES.items() if name not in OWNERS],
        ref_template="#/components/schemas/{model}",
    )
    found: dict[str, Any] = schemas["$defs"]
    return found
