"""The JSON Schema of a task's parameters says what a trigger takes."""

from __future__ import annotations

import jsonschema_rs
import pytest

from rota.engine.effective_params import effective_params
from rota.model.error import Invalid
from rota.model.param import Param, ParamKind, ParamType
from rota.model.param_schema import schema_of
from rota.model.secret import Secret
from rota.model.task import Task

PARAMS = (
    Param(kind=ParamKind.ENV, name="LEVEL", type=ParamType.ENUM, choices=("low", "high"), default="low"),
    Param(kind=ParamKind.ARG, name="who", required=True, pattern="[a-z]+", description="Whom to greet"),
    Param(kind=ParamKind.OPTION, name="--count", type=ParamType.INTEGER, min=1, max=9, default="3"),
    Param(kind=ParamKind.OPTION, name="--ratio", type=ParamType.NUMBER, choices=("0.5", "1")),
    Param(kind=ParamKind.OPTION, name="--on", type=ParamType.DATE),
    Param(kind=ParamKind.FLAG, name="--dry", type=ParamType.BOOLEAN, default="false"),
    Param(kind=ParamKind.ENV, name="SIZE", type=ParamType.ENUM, choices=("s", "m"), allow_custom=True),
    Param(kind=ParamKind.ENV, name="TOKEN", type=ParamType.SECRET, default=Secret("hunter2")),
)
SCHEMA = schema_of(PARAMS)


def test_it_says_what_is_to_be_known_of_each() -> None:
    assert SCHEMA == {
        "type": "object",
        "properties": {
            "LEVEL": {"type": ["string", "null"], "enum": ["low", "high", None], "default": "low"},
            "who": {"type": "string", "description": "Whom to greet", "pattern": "^(?:[a-z]+)$"},
            "--count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 3},
            "--ratio": {"type": ["number", "null"], "enum": [0.5, 1, None]},
            "--on": {"type": ["string", "null"], "format": "date"},
            "--dry": {"type": ["boolean", "null"], "default": False},
            "SIZE": {"type": ["string", "null"], "examples": ["s", "m"]},
            "TOKEN": {"type": ["string", "null"], "minLength": 4, "writeOnly": True},
        },
        "additionalProperties": False,
        "required": ["who"],
    }
    assert jsonschema_rs.meta.is_valid(SCHEMA)


@pytest.mark.parametrize(
    "given",
    [
        {"who": "me"},
        {"who": "me", "LEVEL": None, "--count": 9, "--ratio": 0.5, "--dry": True, "SIZE": "xl"},
        {"who": "me", "--on": "2026-11-22", "TOKEN": "swordfish"},
        {},
        {"who": None},
        {"who": "Me"},
        {"who": "me", "LEVEL": "mid"},
        {"who": "me", "--count": 10},
        {"who": "me", "--count": 1.5},
        {"who": "me", "--ratio": 2},
        {"who": "me", "--on": "tomorrow"},
        {"who": "me", "--dry": 5},
        {"who": "me", "SIZE": 5},
        {"who": "me", "TOKEN": "abc"},
        {"who": "me", "nobody": "x"},
    ],
)
def test_it_accepts_what_a_trigger_accepts(given: dict[str, object]) -> None:
    task = Task(name="job", run="true", params=PARAMS)
    try:
        effective_params(task, given)
        taken = True
    except Invalid:
        taken = False

    assert jsonschema_rs.validator_for(SCHEMA, validate_formats=True).is_valid(given) is taken


@pytest.mark.parametrize("pattern", [r"(?i)abc", r"\Aabc\z", r"(?P<n>a)", r"[[:alpha:]]", r"\pL+"])
def test_a_pattern_that_json_schema_cannot_say_is_left_out(pattern: str) -> None:
    schema = schema_of([Param(kind=ParamKind.ARG, name="x", pattern=pattern)])

    assert "pattern" not in schema["properties"]["x"]


def test_a_task_without_parameters_takes_an_empty_object() -> None:
    assert schema_of(()) == {"type": "object", "properties": {}, "additionalProperties": False}
