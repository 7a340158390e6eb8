"""The JSON Schema of the configuration file, made from its keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from rota.config.tables.file import FileTable
from rota.config.tables.table import Table
from rota.timing.duration import format_duration

if TYPE_CHECKING:
    from pydantic_core import core_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """What editors and checkers need to know of `rota.toml`."""
    generated = FileTable.model_json_schema(schema_generator=_AsInToml)
    return {"$schema": DRAFT, **generated, "title": "rota.toml"}


class _AsInToml(GenerateJsonSchema):
    """TOML has no null, writes durations as text, and needs no second name for a key."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if generated.get("default", ...) is None:
            del generated["default"]
        return generated

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return {} if isinstance(dft, Table) else super().encode_default(dft)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        # Without this, a name that does not fit the pattern would go unchecked.
        return super().dict_schema(schema) | {"additionalProperties": False}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False
