"""A table of the file, and a key of one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Table(BaseModel):
    """A table of the file: no key beside those that stand here, no value that is only similar."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def optional(meaning: str, *examples: Any, default: Any = None, **rules: Any) -> Any:
    """A key that may be left out."""
    # Of what could be changed pydantic makes a deep copy for each table, and there may be ten thousand.
    if isinstance(default, list):
        default = tuple(default)
    elif default == {}:
        rules |= {"default_factory": dict, "json_schema_extra": {"default": {}}}
        return Field(description=meaning, examples=list(examples), **rules)
    return Field(default, description=meaning, examples=list(examples), **rules)
