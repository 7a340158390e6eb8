"""The JSON Schema of a task's parameters: what a trigger may give as `params`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rota.model.param import ParamType, value_of
from rota.model.secret import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.param import Param

_TYPES = {
    ParamType.INTEGER: "integer",
    ParamType.NUMBER: "number",
    ParamType.BOOLEAN: "boolean",
}
_FORMATS = {ParamType.DATE: "date", ParamType.DATETIME: "date-time"}

# What JSON Schema's regular expressions (ECMA 262) do not have, or mean otherwise.
_NOT_ECMA = re.compile(r"\(\?[^:]|\\[AzQECpPxa]|\[\[:|\[\^?\]")


def schema_of(params: Sequence[Param]) -> dict[str, Any]:
    """What fits all of them together."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {param.name: _property(param) for param in params},
        "additionalProperties": False,
    }
    if required := [param.name for param in params if param.required and param.default is None]:
        schema["required"] = required
    return schema


def _property(param: Param) -> dict[str, Any]:
    kind = _TYPES.get(param.type, "string")
    schema: dict[str, Any] = {"type": kind if param.required else [kind, "null"]}
    if param.description is not None:
        schema["description"] = param.description
    if param.type in _FORMATS:
        schema["format"] = _FORMATS[param.type]
    if param.choices:
        choices = [_typed(param, choice) for choice in param.choices]
        if param.allow_custom:
            schema["examples"] = choices
        else:
            schema["enum"] = choices if param.required else [*choices, None]
    if param.pattern is not None and kind == "string" and not _NOT_ECMA.search(param.pattern):
        schema["pattern"] = f"^(?:{param.pattern})$"
    if kind in ("integer", "number"):
        bounds = {"minimum": param.min, "maximum": param.max}
        schema |= {word: bound for word, bound in bounds.items() if bound is not None}
    if param.secret:
        schema |= {"minLength": SHORTEST, "writeOnly": True}
    if isinstance(param.default, str):
        schema["default"] = _typed(param, param.default)
    return schema


def _typed(param: Param, text: str) -> Any:
    """A value as JSON has it."""
    match param.type:
        case ParamType.BOOLEAN:
            return text == "true"
        case ParamType.INTEGER:
            return int(text)
        case ParamType.NUMBER:
            number = float(value_of(param.type, text))
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return text
