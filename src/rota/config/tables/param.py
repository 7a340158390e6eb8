"""`[[tasks.NAME.params]]`: a parameter, how the keys of one go together, and what they mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from rota.config.kinds.name import ArgName, EnvName, OptionName
from rota.config.kinds.text import ParamScalar, Text
from rota.config.shown import shown
from rota.config.tables.table import Table, optional
from rota.model.param import ORDERED, Misfit, Param, ParamKind, ParamType, read, value_of, whole
from rota.model.secret import Secret
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_Wrong = tuple[str, Unreadable]  #: a key of the table, and what is wrong with it
_KINDS = tuple(kind.value for kind in ParamKind)
_ONE_NAME = 'one of env, arg, option and flag, such as env = "LEVEL"'
_FREE = frozenset({ParamType.BOOLEAN, ParamType.SECRET})  # types whose values cannot be listed


class ParamTable(Table):
    """A parameter: a value that a run of the task may be given. One of the first four keys names it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in _KINDS]})

    env: EnvName | None = optional("The environment variable that holds the value.", "LEVEL")
    arg: ArgName | None = optional(
        "What the argument is called; the program is given the value alone.", "who"
    )
    option: OptionName | None = optional("The option that comes before the value.", "--level", "-l")
    flag: OptionName | None = optional("An argument that is there when the value is true.", "--dry-run")
    type: Annotated[ParamType | None, Field(strict=False)] = optional(
        "What the value has to be. Left out: `enum` with `choices`, otherwise `string`.", "integer"
    )
    required: bool = optional("Whether a run needs a value for it.", True, default=False)
    default: ParamScalar = optional("The value of a run that is given none.", "low", 5, True)
    choices: list[ParamScalar] = optional("The values that fit.", ["low", "high"], default=[])
    allow_custom: bool = optional(
        "Take `choices` for proposals, beside which other values fit.", True, default=False
    )
    pattern: Text | None = optional(
        "A regular expression in RE2's syntax that the whole value has to match.", "[a-z]+-[0-9]+"
    )
    min: ParamScalar = optional("The least integer or number, the first date or datetime that fits.", 1)
    max: ParamScalar = optional("The largest or last.", 10)
    description: Text | None = optional("What it is for, in a sentence for people.", "How much to say")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if wrong := list(_wrong_in(self)):
            raise ValidationError.from_exception_data(
                "param",
                [
                    InitErrorDetails(
                        type=PydanticCustomError("value_error", "{error}", {"error": error}),
                        loc=(key,) if key else (),
                        input=getattr(self, key) if key else None,
                    )
                    for key, error in wrong
                ],
            )
        return self


def param_of(table: ParamTable) -> Param:
    """The parameter that a table without faults declares."""
    bare = _bare(table)
    choices = tuple(dict.fromkeys(read(bare, choice) for choice in table.choices))
    param = replace(
        bare,
        choices=choices,
        allow_custom=table.allow_custom,
        pattern=table.pattern,
        min=_bound(bare, table.min),
        max=_bound(bare, table.max),
    )
    default: str | Secret | None = "false" if bare.kind is ParamKind.FLAG else None
    if table.default is not None:
        default = read(param, table.default)
        default = Secret(default) if param.secret else default
    return replace(param, default=default)


def _wrong_in(table: ParamTable) -> Iterator[_Wrong]:
    """What is wrong with keys of a table that are each fine by themselves."""
    names = [kind for kind in _KINDS if getattr(table, kind) is not None]
    if not names:
        yield "", Unreadable("the parameter has no name", _ONE_NAME)
        return
    for name in names[1:]:
        yield name, Unreadable(f"the parameter has a name already, as {names[0]}", _ONE_NAME)
    yield from _wrong_with_type(table, _bare(table))


def _wrong_with_type(table: ParamTable, param: Param) -> Iterator[_Wrong]:
    if param.kind is ParamKind.FLAG:
        for key in sorted(table.model_fields_set - {"flag", "default", "description"}):
            if key not in _KINDS and not (key == "type" and table.type is ParamType.BOOLEAN):
                yield key, Unreadable("a flag is there or not, and is never without a value", "no such key")
        yield from _wrong_default(table, param)
        return
    if param.secret and param.kind is not ParamKind.ENV:
        yield (
            "type",
            Unreadable("every user of this machine can read the arguments of a process", 'env = "NAME"'),
        )
    if param.type is ParamType.ENUM and not table.choices:
        yield "type" if "choices" not in table.model_fields_set else "choices", _no_choices()
    if table.allow_custom and not table.choices:
        yield "allow_custom", _no_choices()
    if table.choices and param.type in _FREE:
        yield "choices", Unreadable(f"a {param.type} has no choices", "no such key")
    else:
        yield from _wrong_values(table, param)


def _wrong_values(table: ParamTable, param: Param) -> Iterator[_Wrong]:
    sound = True
    for key, wrong in (*_wrong_bounds(table, param), *_wrong_pattern(table)):
        sound = False
        yield key, wrong
    if not sound:
        return
    param = replace(param, pattern=table.pattern, min=_bound(param, table.min), max=_bound(param, table.max))
    for choice in table.choices:
        if (misfit := _misfit(param, choice)) is not None:
            yield "choices", misfit
            return
    choices = tuple(read(param, choice) for choice in table.choices)
    yield from _wrong_default(table, replace(param, choices=choices, allow_custom=table.allow_custom))


def _wrong_bounds(table: ParamTable, param: Param) -> Iterator[_Wrong]:
    values = {}
    for key in ("min", "max"):
        bound = getattr(table, key)
        if bound is None:
            continue
        if param.type not in ORDERED:
            yield (
                key,
                Unreadable(f"a {param.type} has no {key}", "it with an integer, number, date or datetime"),
            )
        elif wrong := _misfit(param, bound):
            yield key, wrong
        else:
            values[key] = value_of(param.type, read(param, bound))
    if len(values) == 2 and values["min"] > values["max"]:
        yield "max", Unreadable(f"{shown(table.max)} is before min", f"{table.min} or more")


def _wrong_pattern(table: ParamTable) -> Iterator[_Wrong]:
    if table.pattern is not None:
        try:
            whole(table.pattern)
        except ValueError as error:
            yield (
                "pattern",
                Unreadable(f"it is no regular expression: {error}", "RE2's syntax, such as [a-z]+"),
            )


def _wrong_default(table: ParamTable, param: Param) -> Iterator[_Wrong]:
    if table.default is not None and (wrong := _misfit(param, table.default)):
        yield "default", wrong


def _misfit(param: Param, value: Any) -> Unreadable | None:
    try:
        read(param, value)
    except Misfit as misfit:
        return Unreadable(misfit.wrong, misfit.allowed)
    return None


def _bare(table: ParamTable) -> Param:
    """The parameter without what limits its values."""
    kind = next(each for each in ParamKind if getattr(table, each) is not None)
    of_kind = ParamType.BOOLEAN if kind is ParamKind.FLAG else None
    implied = ParamType.ENUM if table.choices else ParamType.STRING
    return Param(
        kind=kind,
        name=getattr(table, kind),
        type=of_kind or table.type or implied,
        required=table.required,
        description=table.description,
    )


def _bound(param: Param, bound: Any) -> Any:
    """Numbers as they are, dates and times as text."""
    if bound is None or (isinstance(bound, (int, float)) and not isinstance(bound, bool)):
        return bound
    return read(param, bound)


def _no_choices() -> Unreadable:
    return Unreadable("there are no choices", 'such as choices = ["low", "high"]')
