"""Text, labels, files and secrets."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from rota.config.kinds.kind import ONE_OR_MANY, TEXT
from rota.config.shown import shown
from rota.model.secret import SHORTEST, Secret
from rota.timing.unreadable import Unreadable

_LONGEST_ARGUMENT = 131_071  #: bytes; the kernel refuses a longer one (MAX_ARG_STRLEN)
_LONGEST_LABEL = 100


def text(value: str) -> str:
    if "\0" in value:
        raise Unreadable("it has a NUL character, which no program can be given", "text without NUL")
    if len(value.encode()) > _LONGEST_ARGUMENT:
        raise Unreadable(
            f"it is {len(value.encode())} bytes long; no program can be given more than {_LONGEST_ARGUMENT}",
            "less, such as the name of a file that holds it",
        )
    return value


def _label(value: str) -> str:
    if not value.strip():
        raise Unreadable("it is empty", "a label, or leave it out")
    if len(value) > _LONGEST_LABEL:
        raise Unreadable(f"it is {len(value)} characters long", f"a label of up to {_LONGEST_LABEL}")
    return value


def file(value: str) -> str:
    if not text(value).strip():
        raise Unreadable("it is empty", "a path: absolute, below ~, or relative to the folder of this file")
    return value


def _files(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} names no file", "a path, or a list of such")
    return value


def secret(value: Any) -> Secret:
    if not isinstance(value, str):
        raise Unreadable("this is no text", "text in quotes")
    if len(text(value)) < SHORTEST:
        raise Unreadable(
            f"it has fewer than {SHORTEST} characters, and cannot be hidden in a log", "a longer one"
        )
    return Secret(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, int, float, date)):
        return text(value) if isinstance(value, str) else value
    raise Unreadable(
        f"{shown(value)} cannot be a value", "text, a number, true, false, a date or a time with a date"
    )


Text = Annotated[str, AfterValidator(text)]
Label = Annotated[Text, AfterValidator(_label)]
GroupName = Annotated[Label, WithJsonSchema(TEXT | {"pattern": r"\S"})]
Files = Annotated[
    list[Annotated[str, AfterValidator(file)]],
    BeforeValidator(_files),
    WithJsonSchema(ONE_OR_MANY),
]
SecretText = Annotated[Secret, PlainValidator(secret), WithJsonSchema(TEXT | {"minLength": SHORTEST})]
ParamScalar = Annotated[
    str | int | float | bool | date | datetime | None,
    PlainValidator(_scalar),
    WithJsonSchema({"anyOf": [TEXT, {"type": "number"}, {"type": "boolean"}]}),
]
