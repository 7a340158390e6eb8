"""A parameter: one value that a run of a task is given, how it reaches the program, and what fits it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rota.model.secret import SHORTEST, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Bound = int | float | str  #: a number, or a date or time as text


class ParamKind(StrEnum):
    """How a value reaches the program. The word that names a parameter is of one of these kinds."""

    ENV = "env"  #: as an environment variable
    ARG = "arg"  #: as an argument; its name is for people only
    OPTION = "option"  #: as two arguments, the option and its value
    FLAG = "flag"  #: as one argument, which is there or not


class ParamType(StrEnum):
    """What a value has to be."""

    STRING = "string"  #: any text
    INTEGER = "integer"  #: a whole number
    NUMBER = "number"  #: a number, with or without a fraction
    BOOLEAN = "boolean"  #: true or false
    DATE = "date"  #: a day, such as 2026-11-22
    DATETIME = "datetime"  #: a moment with its zone, such as 2026-11-22T20:36:03Z
    ENUM = "enum"  #: one of `choices`
    SECRET = "secret"  # noqa: S105  #: any text of at least 4 characters, which is shown nowhere


#: Types whose values have an order, so that `min` and `max` mean something.
ORDERED = frozenset({ParamType.INTEGER, ParamType.NUMBER, ParamType.DATE, ParamType.DATETIME})

#: Bytes of one argument, or of one environment variable with its name; the kernel refuses more.
LONGEST = 131_071


@dataclass(frozen=True, kw_only=True, slots=True)
class Param:
    """A parameter that a task declares. Values are text, as a program is given them."""

    kind: ParamKind
    name: str  #: the variable, the argument's label, or the option or flag with its dashes: its key
    type: ParamType = ParamType.STRING
    required: bool = False  #: null does not leave it out
    default: str | Secret | None = None
    choices: tuple[str, ...] = ()
    allow_custom: bool = False  #: `choices` are proposals, and other values fit too
    pattern: str | None = None  #: RE2's syntax; the whole value has to match
    min: Bound | None = None
    max: Bound | None = None
    description: str | None = None

    @property
    def is_argument(self) -> bool:
        """Whether it reaches the program among its arguments."""
        return self.kind is not ParamKind.ENV

    @property
    def secret(self) -> bool:
        """Whether its value is shown nowhere."""
        return self.type is ParamType.SECRET


class Misfit(ValueError):
    """A value that does not fit: what is wrong with it, and what is allowed."""

    def __init__(self, wrong: str, allowed: str) -> None:
        super().__init__(f"{wrong}; allowed: {allowed}")
        self.wrong = wrong
        self.allowed = allowed


def read(param: Param, given: object) -> str:
    """A value of JSON, of the file or of the command line as the program is given it. Raises Misfit."""
    text = _as_text(param, given)
    _check_text(param, text)
    if param.type is ParamType.BOOLEAN:
        text = _BOOLEANS.get(text.lower(), text)
    if param.secret and len(text) < SHORTEST:
        raise Misfit("it is too short to be hidden in a log", allowed(param))
    try:
        wrong = _beyond_limits(param, text, value_of(param.type, text))
    except ValueError:
        wrong = "does not fit"
    if wrong is not None:
        raise Misfit(f"{_shown(param, given)} {wrong}", allowed(param))
    return text


def _beyond_limits(param: Param, text: str, value: Any) -> str | None:
    if param.choices and not param.allow_custom and value not in _values(param.type, param.choices):
        return "is not one of them"
    if param.pattern is not None and not whole(param.pattern)(text):
        return "does not match"
    if param.min is not None and value < value_of(param.type, str(param.min)):
        return "is too early" if param.type in _TIMES else "is too small"
    if param.max is not None and value > value_of(param.type, str(param.max)):
        return "is too late" if param.type in _TIMES else "is too large"
    return None


def value_of(type_: ParamType, text: str) -> Any:
    """What a text of this type means, such that meanings can be compared. ValueError: it means nothing."""
    return _MEANINGS.get(type_, str)(text)


def _values(type_: ParamType, texts: Iterable[str]) -> list[Any]:
    return [value_of(type_, text) for text in texts]


def allowed(param: Param) -> str:
    """What fits a parameter, in words."""
    if param.choices and not param.allow_custom:
        return _either([f'"{choice}"' for choice in param.choices])
    words = _WORDS[param.type]
    if param.min is not None and param.max is not None:
        words += f" from {param.min} to {param.max}"
    elif param.min is not None:
        words += f" from {param.min} on"
    elif param.max is not None:
        words += f" up to {param.max}"
    if param.pattern is not None:
        words += f" that matches {param.pattern} as a whole"
    return words


@lru_cache
def whole(pattern: str) -> Callable[[str], Any]:
    """What tells whether all of a text matches, in linear time. ValueError: the pattern is none."""
    import re2  # type: ignore[import-untyped]  # here: most tasks need none

    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        match: Callable[[str], Any] = re2.compile(pattern, options).fullmatch
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
    return match


def _as_text(param: Param, given: object) -> str:
    match given:
        case str():
            return given
        case bool():
            fits, text = param.type is ParamType.BOOLEAN, str(given).lower()
        case int():
            fits, text = param.type in _NUMBERS, _digits(given)
        case float() if given.is_integer() and param.type is ParamType.INTEGER:
            fits, text = True, _digits(int(given))
        case float():
            fits, text = param.type is ParamType.NUMBER and math.isfinite(given), repr(given)
        case datetime():  # which is a date, too
            fits, text = param.type is ParamType.DATETIME and given.tzinfo is not None, given.isoformat()
        case date():
            fits, text = param.type is ParamType.DATE, given.isoformat()
        case _:
            fits, text = False, ""
    if not fits:
        raise _misfit(param, given)
    return text


def _check_text(param: Param, text: str) -> None:
    if "\0" in text:
        raise Misfit("it has a NUL character, which no program can be given", "text without NUL")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Misfit("it has half of a character", "text that can be written as UTF-8") from None
    most = LONGEST - len(param.name) - 1 if param.kind is ParamKind.ENV else LONGEST
    if size > most:
        raise Misfit(f"it is {size} bytes long", f"at most {most}; no program can be given more at once")


def _digits(number: int) -> str:
    return str(number) if number.bit_length() < 400 else "a number of more than 100 digits"


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _integer(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?[0-9]{1,100}", text):
        raise ValueError(text)
    return Decimal(text)


def _number(text: str) -> Decimal:
    if len(text) > 100 or not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text):
        raise ValueError(text)
    return Decimal(text)


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())


_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MEANINGS: dict[ParamType, Callable[[str], Any]] = {
    ParamType.BOOLEAN: _boolean,
    ParamType.INTEGER: _integer,
    ParamType.NUMBER: _number,
    ParamType.DATE: _date,
    ParamType.DATETIME: _moment,
}
_NUMBERS = frozenset({ParamType.INTEGER, ParamType.NUMBER})
_TIMES = frozenset({ParamType.DATE, ParamType.DATETIME})
_BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
_WORDS = {
    ParamType.STRING: "text",
    ParamType.INTEGER: "a whole number",
    ParamType.NUMBER: "a number",
    ParamType.BOOLEAN: "true or false",
    ParamType.DATE: "a date such as 2026-11-22",
    ParamType.DATETIME: "a time with its zone, such as 2026-11-22T20:36:03Z",
    ParamType.ENUM: "text",
    ParamType.SECRET: f"text of at least {SHORTEST} characters",
}


def _misfit(param: Param, given: object) -> Misfit:
    return Misfit(f"{_shown(param, given)} does not fit", allowed(param))


def _shown(param: Param, given: object) -> str:
    if param.secret:
        return "what is given"
    match given:
        case None:
            return "null"
        case bool():
            return str(given).lower()
        case str():
            return f'the text "{given if len(given) <= 40 else given[:39] + "…"}"'
        case int():
            return f"the number {_digits(given)}"
        case float():
            return f"the number {given}"
        case date():
            return f"the time {given}"
        case dict():
            return "an object"
    return "a list" if isinstance(given, list) else "this"


def _either(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
