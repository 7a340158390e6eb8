"""How a route is described: what it answers, and every problem that can come instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from rota.api.problems import KINDS

if TYPE_CHECKING:
    from rota.api.shapes.shape import Shape

#: What can come of any request that needs a token.
ALWAYS = (
    "malformed-request",
    "token-needed",
    "origin-refused",
    "host-refused",
    "invalid-request",
    "internal-error",
    "store-unavailable",
)
#: What can come besides where a body is read.
WITH_BODY = ("body-too-large", "unsupported-content")


def answers(
    status: int, shape: type[Shape], meaning: str, *problems: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Settings of a route that answers with an object, or with one of these problems."""
    good: dict[str, Any] = {"model": shape, "description": meaning}
    if headers:
        good["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    return {"status_code": status, "response_model": None, "responses": {status: good, **refusals(*problems)}}


def streams(media: str, meaning: str, *problems: str, partial: str | None = None) -> dict[str, Any]:
    """Settings of a route that answers with something else than one object; `partial` is what 206 means."""
    content = {media: {"schema": {"type": "string"}}}
    good: dict[int, Any] = {200: {"description": meaning, "content": content}}
    if partial is not None:
        good[206] = {"description": partial, "content": content}
    return {
        "status_code": 200,
        "response_model": None,
        "response_class": type("Stream", (Response,), {"media_type": media}),
        "responses": {**good, **refusals(*problems)},
    }


def refusals(*problems: str) -> dict[int | str, dict[str, Any]]:
    """The statuses of these problems and of those that can always come, with what each means."""
    meanings: dict[int, list[str]] = {}
    for name in dict.fromkeys((*ALWAYS, *problems)):
        meanings.setdefault(KINDS[name].status, []).append(f"`{name}`: {KINDS[name].meaning}")
    return {
        status: {
            "description": "\n\n".join(texts),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, texts in sorted(meanings.items())
    }
