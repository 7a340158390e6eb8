"""A tool's arguments: their schema, as short as it can be, and the faults in what was given."""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from rota.mcp.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import ErrorDetails, core_schema

A = TypeVar("A", bound="Arguments")

#: Arguments whose values are not said again: secrets may be among them.
SECRETS = frozenset({"env", "params", "input"})

#: A value longer than this is not said again.
_LONGEST_SAID = 100


class Arguments(BaseModel):
    """What a tool takes; an argument that it does not name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Nothing(Arguments):
    """No arguments at all."""


def _no_truth(given: object) -> object:
    """Of what is a number or a text: `true` is no task 1."""
    if isinstance(given, bool):
        raise ValueError("a name or a number")
    return given


TaskId = Annotated[
    int | str,
    BeforeValidator(_no_truth),
    Field(description='The task: its name, such as "backup", or its number.'),
]
JobId = Annotated[str, Field(description="Id of any run: of a job, or of a task.")]
Key = Annotated[
    str | None,
    Field(
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Any new text; a call repeated with it starts nothing twice.",
    ),
]
Params = Annotated[
    dict[str, Any],
    Field(
        default_factory=dict, description="Values of its parameters, by name, as its params_schema has them."
    ),
]
Seconds = Annotated[float, Field(ge=0, le=50)]
Budget = Annotated[int, Field(ge=200, le=40_000, description="Characters of output; the rest by cursor.")]
OneStatus = Annotated[
    Literal["pending", "running", "completed", "failed", "killed"] | None, Field(description="Only these.")
]
Limit = Annotated[int, Field(ge=1, le=100, description="How many at once.")]
OneTask = Annotated[
    int | str | None, BeforeValidator(_no_truth), Field(description="Only this task's: name or number.")
]
Since = Annotated[str | None, Field(description="next_cursor of an answer: only what came after it.")]
Cursor = Annotated[str | None, Field(description="The answer's next_cursor, for what follows.")]


def schema_of(shape: Any) -> dict[str, Any]:
    """The JSON Schema of a model or a typed dictionary, without what a reader can do without."""
    return TypeAdapter(shape).json_schema(schema_generator=_Short, mode="validation")


@cache
def names_of(form: type[Arguments]) -> tuple[str, ...]:
    """What the arguments are called."""
    return tuple(field.alias or name for name, field in form.model_fields.items())


def parse(tool: str, form: type[A], given: Mapping[str, Any]) -> A:
    """The arguments. Raises Refusal, which names every fault."""
    try:
        return form.model_validate(given)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        faults: dict[str, tuple[str, list[str]]] = {}
        for each in errors:
            what, wrong = _fault(each, form, given, _meant(errors))
            # A union says what each of its members wants.
            faults.setdefault(_place(each, given), (what, []))[1].append(wrong)
        said = "; ".join(
            f"{what}{' or '.join(dict.fromkeys(wrong))}"
            for place, (what, wrong) in faults.items()
            # What is wrong within it says more: of `["echo", 5]`, not that it is no text.
            if not any(other.startswith(f"{place}.") for other in faults)
        )
        takes = ", ".join(_described(form)) or "no arguments"
        raise Refusal(f"{tool}: {said.rstrip('?')}. It takes {takes}.") from None


def _described(form: type[Arguments]) -> list[str]:
    return [
        f"{field.alias or name} (required)" if field.is_required() else field.alias or name
        for name, field in form.model_fields.items()
    ]


def _meant(errors: Sequence[ErrorDetails]) -> str | None:
    """What the only unknown argument means, whatever it is called: the only required one that is missing."""
    missing = [each for each in errors if each["type"] == "missing"]
    unknown = [each for each in errors if each["type"] == "extra_forbidden"]
    return str(missing[0]["loc"][0]) if len(missing) == len(unknown) == 1 else None


def _fault(
    error: ErrorDetails, form: type[Arguments], given: Mapping[str, Any], meant: str | None
) -> tuple[str, str]:
    """What is wrong with which argument: the beginning of a sentence, and its end."""
    where = _place(error, given)
    if error["type"] == "extra_forbidden":
        nearest = meant or _near_miss(where, names_of(form))
        return f"there is no argument {where!r}", f" (did you mean {nearest!r}?)" if nearest else ""
    if error["type"] == "missing":
        return f"{where} is missing", ""
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    said = said.removeprefix("a valid ").replace("String should match", "text that matches")
    said = said.replace("dictionary", "an object")
    said = said.replace("List should have", "a list with").partition(" after validation")[0]
    if error["loc"] and error["loc"][0] in SECRETS:
        return f"{where} should be ", said
    value = json.dumps(error["input"], ensure_ascii=False, default=repr)
    if len(value) > _LONGEST_SAID:
        value = f"{value[:_LONGEST_SAID]}…"
    return f"{where} is {value}, and should be ", said


def _place(error: ErrorDetails, given: Mapping[str, Any]) -> str:
    """`env.HOME`, `tags.0`: what was given on the way, without the names that pydantic has for its types."""
    first, *rest = error["loc"] or ("arguments",)
    steps = [str(first)]
    value: Any = given.get(str(first))
    for step in rest:
        try:
            value = value[step]
        except (LookupError, TypeError):  # a name of pydantic's, for one of the types it tried
            continue
        steps.append(str(step))
    return ".".join(steps)


def _near_miss(name: str, names: Sequence[str]) -> str | None:
    """What it is the beginning of (`wait` of `wait_seconds`), or is spelled like."""
    begins = [each for each in names if each.startswith(f"{name}_")]
    return next(iter([*begins, *difflib.get_close_matches(name, names, n=1)]), None)


class _Short(GenerateJsonSchema):
    """No titles, and no null: who has nothing to say leaves an argument out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if generated.get("default", ...) in (None, [], {}):
            del generated["default"]
        return generated

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        generated = super().model_schema(schema)
        generated.pop("title", None)
        generated.pop("description", None)
        return generated

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        generated = super().typed_dict_schema(schema)
        generated.pop("title", None)
        generated.pop("description", None)
        return generated

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False
