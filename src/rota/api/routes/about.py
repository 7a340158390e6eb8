"""`/openapi.json`, `/docs`, `/schemas/{Name}.json` and `/problems/{name}`: the API about itself."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rota.api import answer, wire
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.problems import KINDS
from rota.api.refused import RouteNotFound
from rota.api.route import Routes
from rota.api.schemas import SHAPES, document
from rota.api.shapes.problem import ProblemType

if TYPE_CHECKING:
    from rota.api.router import Router

routes = Routes()

ProblemName = Annotated[str, Field(description="What stands behind `/problems/` in a problem's `type`.")]

_PAGE = Path(__file__).parent.parent / "docs.html"


@routes.get("/openapi.json", include_in_schema=False)
async def describe(call: Call) -> Any:
    """The OpenAPI document."""
    return answer.Whole(200, _openapi(call.scope["router"]), [(b"content-type", answer.JSON)])


@routes.get("/docs", include_in_schema=False)
async def docs(_call: Call) -> Any:
    """A page that shows the OpenAPI document. Nothing of it comes from another machine."""
    page, policy = _docs()
    return answer.Whole(
        200, page, [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy)]
    )


@routes.get("/schemas/{name}.json", include_in_schema=False)
async def schema(call: Call, name: str) -> Any:
    """A JSON Schema."""
    if name not in SHAPES:
        raise RouteNotFound(call.scope["path"])
    body = wire.encode({**document(name), "$id": f"{call.origin}/schemas/{name}.json"})
    return answer.Whole(200, body, [(b"content-type", b"application/schema+json")])


@routes.get(
    "/problems/{problem_name}",
    name="get_problem",
    tags=["server"],
    summary="Explain a kind of problem",
    **answers(200, ProblemType, "What the problem means.", "route-not-found"),
)
async def problem(call: Call, problem_name: ProblemName) -> Any:
    """What a problem's `type` refers to."""
    kind = KINDS.get(problem_name)
    if kind is None:
        raise RouteNotFound(call.scope["path"])
    body = {"name": kind.name, "title": kind.title, "status": kind.status, "meaning": kind.meaning}
    return answer.described("ProblemType", body, call.origin)


@cache
def _openapi(router: Router) -> bytes:
    from rota.api.openapi import openapi  # FastAPI takes a quarter of a second to load, and few ask for this

    return wire.encode(openapi(router.routes))


@cache
def _docs() -> tuple[bytes, bytes]:
    page = _PAGE.read_bytes()
    hashes = {
        tag: base64.b64encode(hashlib.sha256(_content(page, tag)).digest()).decode()
        for tag in ("script", "style")
    }
    policy = (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy.encode()


def _content(page: bytes, tag: str) -> bytes:
    found = re.search(rb"<%b>(.*)</%b>" % (tag.encode(), tag.encode()), page, re.DOTALL)
    if found is None:
        raise LookupError(tag)
    return found[1]
