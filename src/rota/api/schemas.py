"""JSON Schemas (draft 2020-12) of everything that the API answers, as documents of their own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rota.api.shapes import SHAPES

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def document(name: str) -> dict[str, Any]:
    """The schema `/schemas/{name}.json`, complete in itself. KeyError when there is none."""
    shape: type[BaseModel] = SHAPES[name]
    return {"$schema": DIALECT, **shape.model_json_schema()}
